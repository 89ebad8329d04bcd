import { refused } from "../telemetry/internal.ts";

/** Tells whoever runs the program what a client asked for and did not get, and why; it holds nothing of what was sent. */
export function tellRefused(what: string, reason: string): void {
  if (refused.active) refused.emit({ what, reason });
}
