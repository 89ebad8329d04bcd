import { thread } from "../runtime/internal.ts";
import { Cell, type Message } from "../process/internal.ts";

/**
 * Notes who sent each message until it is disposed: for a trace, and so not on the messages themselves. What is sent
 * after an `await`, or by the program, has no known sender.
 */
export class Senders implements Disposable {
  readonly #of: WeakMap<Message, Cell> = new WeakMap();
  readonly #original = Object.getOwnPropertyDescriptor(Cell.prototype, "send")!;

  constructor() {
    const of = this.#of;
    const send = this.#original.value as Cell["send"];
    const value = function noted(this: Cell, message: Message): void {
      const sender = thread.running;
      if (sender instanceof Cell && sender !== this) of.set(message, sender);
      send.call(this, message);
    };
    Object.defineProperty(Cell.prototype, "send", { ...this.#original, value });
  }

  of(message: Message): Cell | undefined {
    return this.#of.get(message);
  }

  [Symbol.dispose](): void {
    Object.defineProperty(Cell.prototype, "send", this.#original);
  }
}
