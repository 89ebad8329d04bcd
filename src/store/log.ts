/**
 * A place in a topic: right behind the entry with that offset, or, at offset 0, before the first one. `epoch` names one
 * life of the topic; offsets of different lives have nothing to do with each other.
 */
export interface Position {
  /** Which life of the topic; opaque, of at most 64 characters. */
  readonly epoch: string;
  /** A whole number from 0. */
  readonly offset: number;
}

/** Entries that follow each other, the oldest first, and the place behind the last of them. */
export interface Slice<E> {
  /** Shared with other readers: not to be changed. */
  readonly entries: readonly E[];
  /** Where to read on; `entries[i]` has the offset `firstOffset(slice) + i`. */
  readonly position: Position;
}

/** The offset of the first entry of a slice, or that which it would have. */
export function firstOffset({ entries, position }: Slice<unknown>): number {
  return position.offset - entries.length + 1;
}

/**
 * What follows on a reader's place:
 * - `resumed`: exactly the entries behind it, none is missing;
 * - `gap`: the same life, but entries behind it are no longer kept; these begin with the oldest that is;
 * - `reset`: its place is not in the present life of the topic; these begin with the oldest entry kept.
 */
export interface Read<E> extends Slice<E> {
  /** How the entries follow on the reader's place. */
  readonly status: "resumed" | "gap" | "reset";
}

/** Where a tail begins: with the last so many entries (0: only what is appended from now on), or behind a place. */
export type Start = { readonly last: number } | { readonly after: Position };

/** What is kept of each topic: the newest entries within all of these bounds. Each store has defaults of its own. */
export interface LogBounds {
  /** Entries, from 1. */
  readonly count?: number;
  /** Bytes of all entries together, from 1, as the store measures them. */
  readonly bytes?: number;
  /** How old an entry grows, in ms from 1. */
  readonly ageMs?: number;
}

/**
 * Topics, each an append-only sequence of entries with one order for all who read it: the contract of every store. What
 * passes the conformance suite of `sluice/testing` keeps it.
 *
 * **Order.** A topic has one sequencer. The first entry of a life has the offset 1, each next one more; entries and
 * offsets never change. A topic that was never written is empty: it need not be made.
 *
 * **Lives.** A topic begins a new life, with a random epoch, when its offsets could not go on without lying: when it was
 * dropped or forgotten, or when the store may have lost what it had acknowledged.
 *
 * **Sight.** What an append has resolved with, or a tail has heard, every later `read`, `last` and `tail` on any node
 * sees, or says `gap` or `reset`.
 *
 * **Bounds** limit what is read again, never what a live tail hears.
 *
 * **Entries** are what JSON can carry; a store may keep them by reference, so they are not to be changed. A log must
 * neither look into them nor call a listener inside of any of its methods. What is malformed is refused with
 * SLUICE_INVALID_OPTION, as a rejection where a promise is returned, and has no effect. Whoever opened a log closes it.
 */
export interface Log<E> {
  /**
   * Appends entries, together and in this order; resolves with the position of the last, when they are as durable as the
   * store promises. Calls of one caller take their place in the order of the calls. After a rejection the entries stand
   * in the log either all or not at all, and the store may not know which; they do not come later, behind what is appended
   * here after that. Of no entries it resolves with where the topic ends. Takes ownership of the array.
   */
  append(topic: string, entries: readonly E[]): Promise<Position>;
  /** At most `limit` (from 1) entries behind a place, the oldest first; none are left when none come. */
  read(topic: string, after: Position, limit: number): Promise<Read<E>>;
  /** The newest entries, at most `count` (from 0) of them; the position is where the topic ends. */
  last(topic: string, count: number): Promise<Slice<E>>;
  /**
   * Hears a topic until disposed: first, always, one read of what there is from `start` on, then what is appended, each
   * read where the one before ended. So history and live entries join with neither hole nor double, whatever is appended
   * meanwhile. How entries are cut into reads is the store's affair. A read says `gap` when the store lost its
   * hold for so long that entries are missing, and `reset` when a new life has begun; `last` begins with `resumed`, and
   * after the first read `resumed` always brings entries.
   *
   * The listener is called outside of any other code, one call at a time, and should only enqueue. One that throws has a
   * hole: its tail ends, that is reported as `sluice.log`, and others hear on. Disposed, it is not called again.
   */
  tail(topic: string, start: Start, listener: (read: Read<E>) => void): Disposable;
  /** Forgets a topic; what is appended later begins a new life, of which tails hear as a `reset`. */
  drop(topic: string): Promise<void>;
}
