import type { TelemetryEvents } from "sluice/telemetry";
import type { Broker } from "../../cluster/brokers.ts";

/** What a node is told at its start. */
export interface PartitionNodeOptions {
  readonly broker: Broker;
  /** Of the broker, as the node reaches it. */
  readonly url: string;
  /** Its name, by which others know what it says. */
  readonly node: string;
  /** Where clients reach it. */
  readonly host: string;
}

/** What is told a node that runs. */
export type ToPartitionNode = { readonly kind: "flood" | "calm" };

/** What a node tells. */
export type FromPartitionNode =
  | { readonly kind: "ready"; readonly url: string }
  /** It says no more: how much it has said, and which of its publications the log has not taken, as far as is known. */
  | { readonly kind: "calm"; readonly said: number; readonly failed: readonly number[] }
  | ({ readonly kind: "up" } & TelemetryEvents["sluice.pubsub.up"])
  | ({ readonly kind: "down" } & TelemetryEvents["sluice.pubsub.down"])
  | ({ readonly kind: "gap" } & TelemetryEvents["sluice.pubsub.gap"])
  | ({ readonly kind: "closed" } & TelemetryEvents["sluice.channels.closed"]);

/** Each says one message that often, while it is told to. */
export const floodMs = 10;
export const heartbeatMs = 1_000;
/** When nodes take each other's clients for gone, and each other. */
export const periods = { beatMs: 500, silentBeats: 5, downMs: 5_000 } as const;
/** Without a word from a client. */
export const idleMs = 20_000;
