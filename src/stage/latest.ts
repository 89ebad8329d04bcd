import { Deque } from "../support/internal.ts";
import type { Taken } from "./buffer.ts";
import type { Backlog } from "./lane.ts";

/** The newest event of a key, and its number among all that were kept. */
interface Newest {
  readonly event: unknown;
  readonly enteredMs: number;
  readonly number: number;
}

/** A backlog that keeps the newest event of each key, at the newest's place. With too many keys the oldest goes. */
export class Latest implements Backlog {
  readonly #keyOf: (event: unknown) => unknown;
  readonly #capacity: number;
  readonly #newest: Map<unknown, Newest> = new Map();
  readonly #marks: Deque<{ readonly number: number; readonly run: () => void }> = new Deque();
  #kept = 0;

  constructor(keyOf: (event: unknown) => unknown, capacity: number) {
    this.#keyOf = keyOf;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#newest.size;
  }

  hold(events: readonly unknown[], start: number, enteredMs: number): number {
    const before = this.size;
    const newest = this.#newest;
    for (let index = start; index < events.length; index++) {
      const event = events[index];
      const key = this.#keyOf(event);
      newest.delete(key);
      this.#kept++;
      newest.set(key, { event, enteredMs, number: this.#kept });
      if (newest.size > this.#capacity) newest.delete(newest.keys().next().value);
    }
    this.#reach();
    return before + events.length - start - this.size;
  }

  take(count: number): Taken | undefined {
    if (this.size === 0 || count <= 0) return undefined;
    const events: unknown[] = [];
    let oldestMs = Infinity;
    for (const [key, { event, enteredMs }] of this.#newest) {
      if (events.length === count) break;
      this.#newest.delete(key);
      events.push(event);
      oldestMs = Math.min(oldestMs, enteredMs);
    }
    this.#reach();
    return { events, enteredMs: oldestMs };
  }

  clear(): number {
    const { size } = this;
    this.#newest.clear();
    this.#reach();
    return size;
  }

  afterAll(run: () => void): void {
    this.#marks.push({ number: this.#kept, run });
    this.#reach();
  }

  #reach(): void {
    const first = this.#newest.values().next().value?.number ?? Infinity;
    while (this.#marks.length > 0 && this.#marks.at(0)!.number < first) this.#marks.shift()!.run();
  }
}
