import { Deque } from "../support/internal.ts";
import type { LogBounds } from "./log.ts";

interface Kept<E> {
  readonly entry: E;
  readonly bytes: number;
  readonly atMs: number;
}

/** One life of a topic: how far its offsets have come, and its newest entries within bounds. A pure value. */
export class KeptEntries<E> {
  readonly #bounds: Required<LogBounds>;
  readonly #kept: Deque<Kept<E>> = new Deque();
  #bytes = 0;
  #lastOffset = 0;

  constructor(bounds: Required<LogBounds>) {
    this.#bounds = bounds;
  }

  /** Of the newest entry that there ever was; 0 when there was none. */
  get lastOffset(): number {
    return this.#lastOffset;
  }

  /** Of the oldest entry that is kept; when none is, that of the next one to come. */
  get oldestOffset(): number {
    return this.#lastOffset - this.#kept.length + 1;
  }

  /** Adds an entry, and lets go what no longer fits: perhaps the entry itself. */
  push(entry: E, bytes: number, atMs: number): void {
    this.#lastOffset++;
    this.#kept.push({ entry, bytes, atMs });
    this.#bytes += bytes;
    while (this.#kept.length > this.#bounds.count || this.#bytes > this.#bounds.bytes)
      this.#shift();
  }

  /** Lets go what is too old now. */
  expire(nowMs: number): void {
    for (let oldest = this.#kept.at(0); oldest !== undefined; oldest = this.#kept.at(0)) {
      if (oldest.atMs + this.#bounds.ageMs > nowMs) return;
      this.#shift();
    }
  }

  /** At most `limit` kept entries, the first of them at `offset`. */
  from(offset: number, limit: number): E[] {
    const entries: E[] = [];
    const end = Math.min(offset + limit - 1, this.#lastOffset);
    for (let at = offset; at <= end; at++)
      entries.push(this.#kept.at(at - this.oldestOffset)!.entry);
    return entries;
  }

  #shift(): void {
    this.#bytes -= this.#kept.shift()!.bytes;
  }
}
