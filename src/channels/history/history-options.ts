import type { Log } from "../../store/index.ts";
import { checkKnown } from "../../process/internal.ts";
import { checkInteger, checkSecrets, invalidOption } from "../../support/internal.ts";
import { defaultBacklog, type BacklogBounds } from "./backlog.ts";
import type { WithHistory } from "../contract.ts";
import type { HistoryEntry } from "./history-entry.ts";
import { topicPattern, type TopicPattern } from "../topic-pattern.ts";

/** Patterns of a map whose contracts have history. */
export type HistoryPattern<M> = {
  [K in keyof M & string]: M[K] extends WithHistory ? K : never;
}[keyof M & string];

/** The log that an endpoint's history is kept in. */
export interface HistoryLogOptions<M> {
  /**
   * Opens the log, at each start of the child; when the child ends, the log is closed by its `[Symbol.asyncDispose]` or
   * `[Symbol.dispose]`, if it has one. Its own bounds say what is kept; a channel's `count` and `bytes` are what one
   * client is handed at most.
   */
  readonly log: () => Log<HistoryEntry> | Promise<Log<HistoryEntry>>;
  /**
   * What the nodes sign their entries with, as `secrets` of `pubsub`: others in the log are not handed to clients, and are
   * counted. An old secret is to stay in the list for as long as entries are kept. Default `"trusted"`: whoever can write to
   * the log may say anything to clients.
   */
  readonly secrets?: readonly string[] | "trusted";
  /** Patterns with history, on a node that publishes and defines no channels. */
  readonly topics?: readonly HistoryPattern<M>[];
  /** Appends that the log has not answered, at most; default 10,000. More: `SLUICE_LOG_BUSY`. */
  readonly maxAppends?: number;
  /** Bytes of them together, at most; default 64 MiB. More: `SLUICE_LOG_BUSY`. */
  readonly maxAppendBytes?: number;
  /** How long a publication waits for the log; default 10,000. Longer: `SLUICE_TIMEOUT`. */
  readonly appendTimeoutMs?: number;
}

/** The messages of a history child. */
export interface HistoryServer {
  /**
   * Publications that the log has not answered, their bytes, those that it did not take though nobody waited, and entries
   * that were read and not believed.
   */
  backlog(): {
    readonly appends: number;
    readonly bytes: number;
    readonly failed: number;
    readonly refused: number;
  };
}

/** Options with their defaults. */
export interface HistorySetting {
  readonly open: () => unknown;
  readonly secrets: readonly string[] | "trusted" | undefined;
  readonly patterns: readonly TopicPattern[];
  readonly bounds: BacklogBounds;
}

const known: ReadonlySet<string> = new Set([
  "log",
  "secrets",
  "topics",
  ...Object.keys(defaultBacklog),
]);

/** @throws SLUICE_INVALID_OPTION */
export function historySetting(options: HistoryLogOptions<never>): HistorySetting {
  checkKnown("history", options, known);
  const { log, secrets, topics = [], ...given } = options as unknown as HistoryLogOptions<object>;
  if (typeof log !== "function")
    throw invalidOption("history.log", log, "a function that opens a log");
  if (!Array.isArray(topics)) throw invalidOption("history.topics", topics, "a list of patterns");
  if (secrets !== undefined && secrets !== "trusted") checkSecrets(secrets);
  const bounds: BacklogBounds = { ...defaultBacklog, ...given };
  for (const [name, bound] of Object.entries(bounds)) checkInteger(`history.${name}`, bound, 1);
  return { open: log, secrets, patterns: topics.map(topicPattern), bounds };
}
