import { checkKnown } from "../../process/internal.ts";
import { checkInteger } from "../../support/internal.ts";
import type { LogBounds, ServerLog, StoredLogOptions } from "../../store/index.ts";
import { checkBounds, StoredLog, storedLogOptions } from "../../store/internal.ts";
import { postgresOptions, postgresTarget, type PostgresOptions } from "./postgres-options.ts";
import { PostgresStore } from "./postgres-store.ts";

/**
 * Where a {@link postgresLog} is, and how much it keeps. Logs with one prefix are one: the tables `prefix_log`, …, and
 * functions. Where they are missing they are made, in the first schema of the search path; else no right to make any is
 * needed.
 */
export interface PostgresLogOptions extends PostgresOptions, LogBounds, StoredLogOptions {
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
   * After a restart of the server its topics go on in the same life. Default: unless it runs with `fsync=off`, which may
   * lose what was acknowledged; then every topic begins a new life with the entries that are left. A server that was
   * promoted or restored from a backup begins new lives in any case.
   */
  readonly trustRestarts?: boolean;
}

const known: ReadonlySet<string> = new Set([
  ...postgresOptions,
  ...storedLogOptions,
  ...["maxTopics", "forgetMs", "trustRestarts"],
]);

/**
 * The log in tables of a Postgres database, from version 13 on, over the package `pg`: a row per topic numbers the
 * entries, so that any number of nodes share one order. An append resolves when it is committed, to disk: each
 * connection sets `synchronous_commit` where that is off.
 *
 * Live tails are woken by LISTEN/NOTIFY and read; what no longer fits the bounds stays for 10 s, for them alone. It
 * connects when it is used, with at most 5 connections, and keeps the program alive until it is closed. A connection that it
 * gives up it also ends on the server (`pg_terminate_backend`): what that still brings, when its line is late, would stand behind
 * later entries. A user who may not is served all the same, and the log says so once. A pooler between must give each client a connection of its own.
 *
 * ```ts no-run
 * import { postgresLog } from "sluice/postgres";
 *
 * await using log = postgresLog<string>({ connectionString: "postgres://localhost/app", count: 100 });
 * const { offset } = await log.append("lines", ["a", "b"]);
 * console.info(offset, (await log.last("lines", 10)).entries);
 * ```
 *
 * @throws SLUICE_INVALID_OPTION
 * @throws SLUICE_REAL_IO in a simulation
 */
export function postgresLog<E>(options: PostgresLogOptions): ServerLog<E> {
  checkKnown("postgresLog", options, known);
  const { connection, prefix } = postgresTarget(options);
  const { count = 1_000, bytes = 2 ** 20 } = options;
  const { ageMs = Infinity, maxTopics = 10_000, forgetMs = 7 * 24 * 3_600_000 } = options;
  const { trustRestarts, timeoutMs = 5_000 } = options;
  checkBounds(options);
  checkInteger("maxTopics", maxTopics, 1);
  checkInteger("forgetMs", forgetMs, ageMs === Infinity ? 1 : ageMs);
  const bounds = { count, bytes, ageMs };
  const table = `${prefix}_log`;
  const store = { connection, table, ...bounds, maxTopics, forgetMs, trustRestarts, timeoutMs };
  return new StoredLog<E>(options, (system) => new PostgresStore(store, system));
}
