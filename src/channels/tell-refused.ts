import { refused } from "../telemetry/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";

/** Tells whoever runs the program what a client asked for and did not get, and why; it holds nothing of what was sent. */
export function tellRefused(what: string, reason: string): void {
  if (refused.active) refused.emit({ what, reason });
}

/** The same of an event, or of a join, on a channel. */
export function tellEventRefused({ pattern }: AnyDefinition, event: string, reason: string): void {
  if (refused.active) refused.emit({ what: `${event} on ${pattern}`, reason });
}
