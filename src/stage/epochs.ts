import { Deque } from "../support/internal.ts";

/** What came between two marks. */
export interface Epoch {
  unfinished: number;
  /** The mark at its end. */
  after: (() => void) | undefined;
}

/** Marks in a flow of events that do not end in the order in which they came: one runs when all before it have ended. */
export class Epochs {
  readonly #epochs: Deque<Epoch> = new Deque();
  /** The one that lasts. */
  current: Epoch = { unfinished: 0, after: undefined };

  constructor() {
    this.#epochs.push(this.current);
  }

  /** Runs `run` when everything that has come by now has ended; at once, if it has. */
  mark(run: () => void): void {
    this.current.after = run;
    this.current = { unfinished: 0, after: undefined };
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
      const { unfinished, after } = this.#epochs.at(0)!;
      if (unfinished > 0 || after === undefined) return;
      this.#epochs.shift();
      after();
    }
  }
}
