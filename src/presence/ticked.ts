import { firstPlace } from "../support/internal.ts";

/** Values by the tick of a clock, in its order: quick to append to, and to read from any tick on. */
export class Ticked<T> {
  readonly #values: Map<number, T> = new Map();
  /** All ticks in order, with some whose value is gone. */
  #ticks: number[] = [];

  get size(): number {
    return this.#values.size;
  }

  get(tick: number): T | undefined {
    return this.#values.get(tick);
  }

  set(tick: number, value: T): void {
    if (this.#values.has(tick)) {
      this.#values.set(tick, value);
      return;
    }
    this.#values.set(tick, value);
    const ticks = this.#ticks;
    if (ticks.length === 0 || ticks[ticks.length - 1]! < tick) ticks.push(tick);
    else {
      const at = this.#after(tick - 1);
      // It may stand there still, from a value that is gone.
      if (ticks[at] !== tick) ticks.splice(at, 0, tick);
    }
  }

  delete(tick: number): void {
    if (!this.#values.delete(tick)) return;
    if (this.#ticks.length <= 2 * this.#values.size + 16) return;
    this.#ticks = this.#ticks.filter((one) => this.#values.has(one));
  }

  /** The values of the ticks in `(from, to]`, in order. */
  *between(from: number, to: number): Generator<[tick: number, value: T]> {
    const ticks = this.#ticks;
    for (let at = this.#after(from); at < ticks.length && ticks[at]! <= to; at++) {
      const value = this.#values.get(ticks[at]!);
      if (value !== undefined) yield [ticks[at]!, value];
    }
  }

  /** All values. */
  values(): Iterable<T> {
    return this.#values.values();
  }

  /** Where the first tick stands that is above `n`. */
  #after(n: number): number {
    const ticks = this.#ticks;
    return firstPlace(ticks.length, (place) => ticks[place]! > n);
  }
}
