import type { Position, Read, Start } from "./log.ts";

/** What was appended together, as a store tells those who follow the topic. */
export interface Batch {
  readonly epoch: string;
  /** The offset of its first entry. */
  readonly first: number;
  readonly entries: readonly unknown[];
}

/** What a store tells of a topic that is followed. */
export interface Ears {
  /** From now on every batch is heard; what came before has to be read. */
  readonly held: () => void;
  /** From now on batches may be missed, until it is held again. */
  readonly lost: () => void;
  /** A batch, or nothing but that there is something to read. */
  readonly hear: (batch?: Batch) => void;
}

/**
 * What a server of entries does for a `StoredLog`, which does the rest: input, order, waiting, tails. Entries come to it as
 * JSON texts. A method that cannot reach its server waits until it can, or until its signal aborts; after that it must
 * not begin anything any more.
 */
export interface LogStore {
  /** What it is called where it is spoken of. */
  readonly name: string;
  /** So many bytes of texts at most go into one `append`. */
  readonly maxBatchBytes: number;
  /** Appends in one step, all or none; called for each topic only when the call before is over. */
  append(topic: string, texts: readonly string[], signal: AbortSignal): Promise<Position>;
  /**
   * Of what the bounds keep, or, `live`, of all that is there: fewer than `limit` entries only if there are no more. From
   * `last`, the status is `resumed`.
   */
  read(question: Question): Promise<Read<unknown>>;
  /** Forgets a topic: what is appended later has another epoch. */
  drop(topic: string, signal: AbortSignal): Promise<void>;
  /** Tells of a topic until it is let go. */
  follow(topic: string, ears: Ears): Disposable;
  /** Lets go of the server. */
  close(): Promise<void>;
}

/** What is read. */
export interface Question {
  readonly topic: string;
  readonly start: Start;
  readonly limit: number;
  readonly live: boolean;
  readonly signal: AbortSignal;
}
