import type { KeepOptions } from "../process/internal.ts";

/** How logs keep their connections to servers: callers wait meanwhile, so that it is tried often. */
export const serverKeep: KeepOptions = {
  reconnectDelayMs: { firstMs: 25, maxMs: 1_000, jitter: 0.5, resetAfterMs: 250 },
  connectTimeoutMs: 6_000,
  heartbeatMs: 2_000,
};
