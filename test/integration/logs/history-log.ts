import type { HistoryEntry } from "sluice/channels";
import { natsLog } from "sluice/nats";
import { postgresLog } from "sluice/postgres";
import { redisLog } from "sluice/redis";
import type { ServerLog } from "sluice/store";

export type LogKind = "nats" | "redis" | "postgres";

/** What the nodes of tests sign their history with. */
export const historySecrets: readonly string[] = ["only-for-tests-0123456789-abcdefghij"];

/** The log that the nodes of a test share on a server. */
export function historyLog(kind: LogKind, url: string): ServerLog<HistoryEntry> {
  const options = { timeoutMs: 2_000, count: 10_000 };
  switch (kind) {
    case "nats":
      return natsLog({ servers: url, trustRestarts: true, ...options });
    case "redis":
      return redisLog({ url, ...options });
    case "postgres":
      return postgresLog({ connectionString: url, ...options });
    default:
      return kind satisfies never;
  }
}
