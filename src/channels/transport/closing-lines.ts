import type { Transport } from "./transport.ts";

/** Lines whose sockets have crashed, until their clients have answered the close: their endpoint does not leave them behind. */
export class ClosingLines {
  readonly #lines: Set<Transport> = new Set();
  #isOver = false;

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Its client is told that it closes. */
  add(line: Transport): void {
    if (this.#isOver) line.destroy();
    else this.#lines.add(line);
  }

  /** Its client has answered, or is gone. */
  delete(line: Transport): void {
    this.#lines.delete(line);
  }

  /** Deadlines of those that have their own, which nobody else looks at any more. */
  sweep(sweepMs: number): void {
    for (const line of this.#lines) line.sweep?.(sweepMs);
  }

  /** The endpoint ends: nobody is waited for any more. */
  end(): void {
    this.#isOver = true;
    for (const line of this.#lines) line.destroy();
  }
}
