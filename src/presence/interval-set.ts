import { firstPlace } from "../support/internal.ts";

/**
 * Whole numbers from 1 on, kept as runs: what of a replica's clock has been seen. Mostly one run, which begins at 1; what
 * came before its time stands in runs behind a hole.
 */
export class IntervalSet {
  /** First and last of each run, ascending; no two touch. */
  readonly #runs: [first: number, last: number][] = [];

  /** How far there is no hole: 0 when 1 is missing. */
  get upTo(): number {
    const run = this.#runs[0];
    return run?.[0] === 1 ? run[1] : 0;
  }

  /** The runs, ascending. */
  get runs(): readonly (readonly [first: number, last: number])[] {
    return this.#runs;
  }

  has(n: number): boolean {
    const run = this.#runs[this.#at(n)];
    return run !== undefined && run[0] <= n;
  }

  /** Adds all numbers from `first` to `last`. */
  add(first: number, last: number): void {
    if (first > last) return;
    const runs = this.#runs;
    // From here on runs end at or after the number before the first: they may touch.
    const from = this.#at(first - 1);
    let to = from;
    let run: [number, number] = [first, last];
    for (; to < runs.length && runs[to]![0] <= last + 1; to++)
      run = [Math.min(run[0], runs[to]![0]), Math.max(run[1], runs[to]![1])];
    runs.splice(from, to - from, run);
  }

  /** Where the first run stands that ends at `n` or after it. */
  #at(n: number): number {
    const runs = this.#runs;
    return firstPlace(runs.length, (place) => runs[place]![1] >= n);
  }
}
