import type { LogLevel } from "../../telemetry/index.ts";
import type { RedisClient } from "./redis-link.ts";

/** What a server promises of what it has acknowledged. */
export interface RedisPromise {
  /** This run of the server. */
  readonly server: string;
  /** Which run of the server this is, if the next one may lack what this one acknowledged; else `""`. */
  readonly run: string;
  /** What whoever runs the program should know. */
  readonly notes: readonly (readonly [LogLevel, string])[];
}

/** Asks a server how durable it is. */
export async function promiseOf(
  client: RedisClient,
  trustRestarts: boolean | undefined,
): Promise<RedisPromise> {
  const info = await client.info("everything");
  const field = (name: string): string =>
    new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
  const fsync = await setting(client, "appendfsync");
  const notes: [LogLevel, string][] = [];
  const appends = field("aof_enabled") === "1";
  if (!appends)
    notes.push([
      "warning",
      "redis runs with `appendonly no`: when it ends, what it acknowledged is lost, and readers hear of a reset",
    ]);
  else if (fsync !== "always")
    notes.push([
      "info",
      `redis runs with \`appendfsync ${fsync ?? "(unknown)"}\`: after each of its restarts readers hear of a reset`,
    ]);
  const evicts = field("maxmemory_policy");
  if (field("maxmemory") !== "0" && /^(allkeys|volatile)/.test(evicts))
    notes.push([
      "warning",
      `redis runs with \`maxmemory-policy ${evicts}\`: it may throw away what it acknowledged`,
    ]);
  // Of a replica that became a master nobody knows what it lacked.
  const promoted = field("master_replid2") !== "" && /[^0]/.test(field("master_replid2"));
  const keeps = trustRestarts ?? (appends && fsync === "always" && !promoted);
  const server = field("run_id");
  return { server, run: keeps ? "" : server, notes };
}

async function setting(client: RedisClient, name: string): Promise<string | undefined> {
  try {
    const reply = await client.configGet(name);
    return reply[name];
  } catch {
    // Some who offer Redis do not show it.
    return undefined;
  }
}
