import { Deque } from "../support/internal.ts";
import type { Runtime } from "../runtime/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Read } from "./log.ts";

/**
 * A listener behind a log: gets reads one at a time, in order, outside of what brought them. They wait here until the
 * JavaScript at hand has ended, not longer.
 */
export class Tail<E> implements Disposable {
  readonly #runtime: Runtime;
  readonly #listener: (read: Read<E>) => void;
  readonly #ended: () => void;
  readonly #waiting: Deque<Read<E>> = new Deque();
  #live = true;

  /** @param ended told once: it was disposed, or its listener threw. */
  constructor(runtime: Runtime, listener: (read: Read<E>) => void, ended: () => void) {
    this.#runtime = runtime;
    this.#listener = listener;
    this.#ended = ended;
  }

  /** Not to be called once it has ended. */
  push(read: Read<E>): void {
    this.#waiting.push(read);
    if (this.#waiting.length === 1) this.#runtime.soon(() => this.#deliver());
  }

  [Symbol.dispose](): void {
    if (!this.#live) return;
    this.#live = false;
    this.#waiting.clear();
    this.#ended();
  }

  #deliver(): void {
    try {
      for (let read = this.#waiting.shift(); read !== undefined; read = this.#waiting.shift())
        this.#listener(read);
    } catch (error) {
      this[Symbol.dispose]();
      log("error", "a listener behind a log threw, and hears it no longer", error);
    }
  }
}
