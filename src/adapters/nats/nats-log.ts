import { checkKnown } from "../../process/internal.ts";
import { checkInteger, invalidOption } from "../../support/internal.ts";
import type { LogBounds, ServerLog, StoredLogOptions } from "../../store/index.ts";
import { checkBounds, StoredLog, storedLogOptions } from "../../store/internal.ts";
import { natsOptions, natsTarget, type NatsOptions } from "./nats-options.ts";
import { NatsStore } from "./nats-store.ts";

/** Where a {@link natsLog} is, and how much it keeps. Logs with one prefix are one; its stream is `prefix_log`. */
export interface NatsLogOptions extends NatsOptions, LogBounds, StoredLogOptions {
  /** Entries per topic; default 1,000. */
  readonly count?: number;
  /** Bytes of JSON per topic; default 1 MiB. The server keeps more: see `maxBytes`. */
  readonly bytes?: number;
  /** How old an entry grows, in ms; default: it does not age. Clocks of nodes and servers should agree. */
  readonly ageMs?: number;
  /**
   * A topic that nobody wrote for so long is forgotten, and what is older is gone, in ms; default a week, or with
   * `ageMs` twice that, and a minute at least.
   */
  readonly forgetMs?: number;
  /** Bytes of the whole stream on the server; default 1 GiB. When it is full, appends reject until something ages. */
  readonly maxBytes?: number;
  /** Where the stream is kept when this makes it; default `"file"`. */
  readonly storage?: "file" | "memory";
  /** On how many servers of a cluster the stream is kept when this makes it; default 1. */
  readonly replicas?: number;
  /**
   * After a restart of the server its topics go on in the same life. Default: only with 3 replicas and more; a single
   * server syncs to disk late, so that after a restart every topic begins a new life with the entries that are left.
   */
  readonly trustRestarts?: boolean;
}

const known: ReadonlySet<string> = new Set([
  ...natsOptions,
  ...storedLogOptions,
  ...["forgetMs", "maxBytes", "storage", "replicas", "trustRestarts"],
]);

/**
 * The log in a stream of NATS JetStream, from version 2.9 on, over the packages `@nats-io/transport-node` and
 * `@nats-io/jetstream`. What is appended together is one message on the subject of the topic, stored only if nothing came
 * between, so that any number of nodes share one order. An append resolves when the stream has acknowledged it.
 *
 * What that is worth, the stream's storage and replicas decide; lossy ones are reported as `sluice.log`, and readers hear
 * of a `reset` after what may have been a loss. Live tails hear the messages that the server republishes when they are
 * stored; after an outage they read on. It connects at once and for ever, and so keeps the program alive until it is closed.
 *
 * ```ts no-run
 * import { natsLog } from "sluice/nats";
 *
 * await using log = natsLog<string>({ servers: "localhost:4222", count: 100 });
 * const { offset } = await log.append("lines", ["a", "b"]);
 * console.info(offset, (await log.last("lines", 10)).entries);
 * ```
 *
 * @throws SLUICE_INVALID_OPTION
 * @throws SLUICE_REAL_IO in a simulation
 */
export function natsLog<E>(options: NatsLogOptions): ServerLog<E> {
  checkKnown("natsLog", options, known);
  const { connection, prefix } = natsTarget(options);
  const { count = 1_000, bytes = 2 ** 20 } = options;
  const { ageMs = Infinity, maxBytes = 2 ** 30, timeoutMs = 5_000, trustRestarts } = options;
  const { storage = "file", replicas = 1 } = options;
  const { forgetMs = ageMs === Infinity ? 7 * 24 * 3_600_000 : Math.max(2 * ageMs, 60_000) } =
    options;
  if (storage !== "file" && storage !== "memory")
    throw invalidOption("storage", storage, '"file" or "memory"');
  checkBounds(options);
  checkInteger("replicas", replicas, 1, 5);
  checkInteger("maxBytes", maxBytes, 1);
  checkInteger("forgetMs", forgetMs, ageMs === Infinity ? 1_000 : ageMs);
  // What no longer fits stays for tails that are about to hear it.
  const maxPerTopic = 2 * count + 1_000;
  const bounds = { maxBytes, maxAgeMs: forgetMs, maxPerTopic };
  const stream = { prefix, storage, replicas, trustRestarts, ...bounds };
  const store = { connection, stream, count, bytes, ageMs, forgetMs, timeoutMs };
  return new StoredLog<E>(options, (system) => new NatsStore(store, system));
}
