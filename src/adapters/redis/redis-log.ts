import { checkKnown } from "../../process/internal.ts";
import { checkInteger } from "../../support/internal.ts";
import type { LogBounds, ServerLog, StoredLogOptions } from "../../store/index.ts";
import { checkBounds, StoredLog, storedLogOptions } from "../../store/internal.ts";
import { redisOptions, redisTarget, type RedisOptions } from "./redis-options.ts";
import { RedisStore } from "./redis-store.ts";

/** Where a {@link redisLog} is, and how much it keeps. Logs with one prefix are one; all its keys are in one slot. */
export interface RedisLogOptions extends RedisOptions, LogBounds, StoredLogOptions {
  /** Entries per topic; default 1,000. */
  readonly count?: number;
  /** Bytes of JSON per topic; default 1 MiB. */
  readonly bytes?: number;
  /** How old an entry grows, in ms; default: it does not age. */
  readonly ageMs?: number;
  /** Topics kept; default 10,000. Beyond, those that were not written for the longest are forgotten. */
  readonly maxTopics?: number;
  /** A topic that nobody wrote for so long may be forgotten, in ms; default a week. */
  readonly forgetMs?: number;
  /**
   * After a restart of the server its topics go on in the same life. Default: only with `appendonly yes` and
   * `appendfsync always`, since everything else may lose what was acknowledged; then every topic begins a new life with
   * the entries that are left. `true` trusts a server that ends in good order only.
   */
  readonly trustRestarts?: boolean;
}

const known: ReadonlySet<string> = new Set([
  ...redisOptions,
  ...storedLogOptions,
  ...["maxTopics", "forgetMs", "trustRestarts"],
]);

/**
 * The log on a Redis server, from version 6.2 on, over the package `redis`: each topic is a stream, written by a script
 * that numbers the entries, so that any number of nodes share one order. An append resolves when Redis has answered.
 *
 * What that is worth, Redis decides by its settings; lossy ones are reported as `sluice.log`, and readers hear of a
 * `reset` after what may have been a loss. Live tails hear through Redis's messages; after an outage they read on. A new
 * connection ends the one before (`CLIENT KILL`): what that still brings, when its line is late, would stand behind later
 * entries.
 * It connects at once and for ever, and so keeps the program alive until it is closed.
 *
 * ```ts no-run
 * import { redisLog } from "sluice/redis";
 *
 * await using log = redisLog<string>({ url: "redis://localhost:6379", count: 100 });
 * const { offset } = await log.append("lines", ["a", "b"]);
 * console.info(offset, (await log.last("lines", 10)).entries);
 * ```
 *
 * @throws SLUICE_INVALID_OPTION
 * @throws SLUICE_REAL_IO in a simulation
 */
export function redisLog<E>(options: RedisLogOptions): ServerLog<E> {
  checkKnown("redisLog", options, known);
  const { connection, prefix } = redisTarget(options);
  const { count = 1_000, bytes = 2 ** 20, ageMs = Infinity } = options;
  const { maxTopics = 10_000, forgetMs = 7 * 24 * 3_600_000, trustRestarts } = options;
  checkBounds(options);
  checkInteger("maxTopics", maxTopics, 1);
  checkInteger("forgetMs", forgetMs, ageMs === Infinity ? 1 : ageMs);
  const store = { connection, prefix, count, bytes, ageMs, maxTopics, forgetMs, trustRestarts };
  return new StoredLog<E>(options, (system) => new RedisStore(store, system));
}
