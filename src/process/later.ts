import type { Reply } from "./message.ts";
import type { Deferred } from "./thenable.ts";

/** A result that comes later: the reply to the call in hand waits for it, the mailbox does not. */
export class Later<T> implements Deferred, Reply {
  #settled: { readonly error: unknown; readonly value: unknown } | undefined = undefined;
  #listeners: ((error: unknown, value: unknown) => void)[] = [];

  settle(error: unknown, value: T | undefined): void {
    if (this.#settled !== undefined) return;
    this.#settled = { error, value };
    for (const listener of this.#listeners.splice(0)) listener(error, value);
  }

  "~settled"(listener: (error: unknown, value: unknown) => void): void {
    if (this.#settled === undefined) this.#listeners.push(listener);
    else listener(this.#settled.error, this.#settled.value);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what makes the runtime look at it as at a promise
  then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<unknown>((resolve, reject) => {
      this["~settled"]((error, value) => (error === undefined ? resolve(value) : reject(error)));
    }).then(onFulfilled, onRejected);
  }
}
