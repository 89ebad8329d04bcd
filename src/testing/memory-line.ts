import type { Runtime } from "../runtime/internal.ts";

/** What a line does to what is sent on it. */
export interface LineFaults {
  /** From 0 to so many ms for each; the order of one line stays. */
  readonly maxDelayMs: number;
  /** Is it cut, or does chance let this one go? */
  readonly isLost: () => boolean;
  /** Does it come twice? */
  readonly isDouble: () => boolean;
}

/** One direction between a node and the hub: in order, later, and perhaps not at all. */
export class MemoryLine {
  readonly #runtime: Runtime;
  readonly #faults: LineFaults;
  readonly #sent: (() => void)[] = [];
  /** When the last of them arrives. */
  #lastAt = 0;

  constructor(runtime: Runtime, faults: LineFaults) {
    this.#runtime = runtime;
    this.#faults = faults;
  }

  /** `mayDouble` for what may come twice: answers come once. */
  send(arrive: () => void, mayDouble = false): void {
    this.#push(arrive);
    if (mayDouble && this.#faults.isDouble()) this.#push(arrive);
  }

  #push(arrive: () => void): void {
    const runtime = this.#runtime;
    const { maxDelayMs } = this.#faults;
    this.#sent.push(arrive);
    const first = (): void => {
      const next = this.#sent.shift()!;
      if (!this.#faults.isLost()) next();
    };
    if (maxDelayMs === 0) return runtime.turn(first);
    const now = runtime.now();
    this.#lastAt = Math.max(this.#lastAt, now + runtime.random() * maxDelayMs);
    runtime.alarm(this.#lastAt - now, first);
  }
}
