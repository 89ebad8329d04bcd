import type { TelemetryEvents } from "sluice/telemetry";

/** What a test tells a node. */
export type ToNode =
  | { readonly kind: "broadcast" | "local"; readonly room: string; readonly n: number }
  | { readonly kind: "disconnect"; readonly user: string }
  | { readonly kind: "flood"; readonly everyMs: number }
  | { readonly kind: "calm" | "figures" };

/** What a node tells. */
export type FromNode =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "figures"; readonly figures: Readonly<Record<string, number>> }
  | ({ readonly kind: "up" } & TelemetryEvents["sluice.pubsub.up"])
  | ({ readonly kind: "down" } & TelemetryEvents["sluice.pubsub.down"])
  | ({ readonly kind: "gap" } & TelemetryEvents["sluice.pubsub.gap"]);
