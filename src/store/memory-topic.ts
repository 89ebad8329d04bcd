import { KeptEntries } from "./kept-entries.ts";
import type { LogBounds, Position, Read, Slice } from "./log.ts";
import type { Linked } from "./recency-list.ts";
import type { Tail } from "./tail.ts";

/** A topic in memory: its present life, and who hears it. */
export class MemoryTopic<E> implements Linked<MemoryTopic<E>> {
  readonly name: string;
  readonly tails: Set<Tail<E>> = new Set();
  /** When it was last written, or left by its last tail. */
  touchedMs = 0;
  older: MemoryTopic<E> | undefined = undefined;
  newer: MemoryTopic<E> | undefined = undefined;
  readonly #bounds: Required<LogBounds>;
  #epoch: string;
  #kept: KeptEntries<E>;

  constructor(name: string, epoch: string, bounds: Required<LogBounds>) {
    this.name = name;
    this.#bounds = bounds;
    this.#epoch = epoch;
    this.#kept = new KeptEntries(bounds);
  }

  get written(): boolean {
    return this.#kept.lastOffset > 0;
  }

  get end(): Position {
    return { epoch: this.#epoch, offset: this.#kept.lastOffset };
  }

  append(entries: readonly E[], sizes: readonly number[], nowMs: number): Position {
    for (const [index, entry] of entries.entries()) this.#kept.push(entry, sizes[index]!, nowMs);
    const position = this.end;
    for (const tail of this.tails) tail.push({ status: "resumed", entries, position });
    return position;
  }

  expire(nowMs: number): void {
    this.#kept.expire(nowMs);
  }

  read(after: Position, limit: number): Read<E> {
    const { oldestOffset, lastOffset } = this.#kept;
    const known = after.epoch === this.#epoch && after.offset <= lastOffset;
    const status = !known ? "reset" : after.offset + 1 < oldestOffset ? "gap" : "resumed";
    return { status, ...this.#from(status === "resumed" ? after.offset + 1 : oldestOffset, limit) };
  }

  last(count: number): Slice<E> {
    const { oldestOffset, lastOffset } = this.#kept;
    return this.#from(Math.max(lastOffset - count + 1, oldestOffset), count);
  }

  /** Begins a new life. */
  restart(epoch: string): void {
    this.#epoch = epoch;
    this.#kept = new KeptEntries(this.#bounds);
    const read: Read<E> = { status: "reset", entries: [], position: this.end };
    for (const tail of this.tails) tail.push(read);
  }

  #from(offset: number, limit: number): Slice<E> {
    const entries = this.#kept.from(offset, limit);
    return { entries, position: { epoch: this.#epoch, offset: offset + entries.length - 1 } };
  }
}
