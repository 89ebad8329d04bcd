import { Deque } from "../support/internal.ts";
import { Buffer, type Taken } from "./buffer.ts";

/** Events that a dispatcher has taken and keeps for one subscriber, who knows when each of them has gone. */
export interface Backlog {
  /** How many there are. */
  readonly size: number;
  /** Keeps the events from `start` on; returns how many went for it, these or others. */
  hold(events: readonly unknown[], start: number, enteredMs: number): number;
  /** Takes up to `count` out, in order. */
  take(count: number): Taken | undefined;
  /** Lets all go; returns how many. */
  clear(): number;
  /** Calls `run` once all that is here now has gone. */
  afterAll(run: () => void): void;
}

/** A backlog that keeps events as the batches they came in. Full, it lets the oldest go. */
export class Lane extends Buffer implements Backlog {
  readonly #marks: Deque<{ readonly place: number; readonly run: () => void }> = new Deque();

  constructor(capacity: number) {
    super(capacity, "last");
  }

  hold(events: readonly unknown[], start: number, enteredMs: number): number {
    const lost = this.push(events, start, enteredMs);
    if (lost > 0) this.#reach();
    return lost;
  }

  override take(count: number): Taken | undefined {
    const taken = super.take(count);
    this.#reach();
    return taken;
  }

  clear(): number {
    const { size } = this;
    if (size > 0) this.dropOldest(size);
    this.#reach();
    return size;
  }

  afterAll(run: () => void): void {
    this.#marks.push({ place: this.passed + this.size, run });
    this.#reach();
  }

  #reach(): void {
    while (this.#marks.length > 0 && this.#marks.at(0)!.place <= this.passed)
      this.#marks.shift()!.run();
  }
}

/** Calls `run` once all that is in the backlogs now has gone. */
export function afterAll(backlogs: Iterable<Backlog>, run: () => void): void {
  let left = 1;
  const one = (): void => {
    left--;
    if (left === 0) run();
  };
  for (const backlog of backlogs) {
    left++;
    backlog.afterAll(one);
  }
  one();
}
