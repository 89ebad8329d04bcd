import { Deque } from "../support/internal.ts";

/** What came between two marks. */
export interface Epoch {
  unfinished: number;
  /** The mark at its end. */
  then: (() => void) | undefined;
}

/** Marks in a flow of events that do not end in the order in which they came: one runs when all before it have ended. */
export class Epochs {
  readonly #epochs: Deque<Epoch> = new Deque();
  /** The one that lasts. */
  current: Epoch = { unfinished: 0, then: undefined };

  constructor() {
    this.#epochs.push(this.current);
  }

  /** Runs `then` when everything that has come by now has ended; at once, if it has. */
  mark(then: () => void): void {
    this.current.then = then;
    this.current = { unfinished: 0, then: undefined };
    this.#epochs.push(this.current);
    this.#reach();
  }

  /** So many events have ended. */
  end(epoch: Epoch, count: number): void {
    epoch.unfinished -= count;
    if (epoch.unfinished === 0 && epoch !== this.current) this.#reach();
  }

  #reach(): void {
    for (;;) {
      const { unfinished, then } = this.#epochs.at(0)!;
      if (unfinished > 0 || then === undefined) return;
      this.#epochs.shift();
      then();
    }
  }
}
