import type { BroadcastMessage } from "../fan-out/broadcast.ts";

/** Beside its payload, what a message that is held costs about. */
const overheadBytes = 200;

/** Why a client that joins cannot be told where it stands; it is to try again. */
export class Unheld extends Error {}

/** What a topic says while a client is on its way in: given to it behind what it is handed of the past. */
export class Hold {
  readonly #maxBytes: number;
  #messages: BroadcastMessage[] = [];
  #bytes = 0;
  /** Why it has come to nothing. */
  why: Error | undefined = undefined;
  /** It has been handed everything up to this offset; without it, it is still being read for. */
  after: number | undefined = undefined;
  /** Its client has been told where it stands. */
  isAnswered = false;
  /** Told when there is nothing to be read for it any more. */
  stopped: (() => void) | undefined = undefined;
  /** Told when it comes to nothing. */
  failed: ((why: Error) => void) | undefined = undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** It has come to nothing. */
  get isOver(): boolean {
    return this.why !== undefined;
  }

  push(message: BroadcastMessage): void {
    if (this.isOver || (this.after !== undefined && message.offset <= this.after)) return;
    this.#bytes += message.bytes + overheadBytes;
    if (this.#bytes > this.#maxBytes) return this.fail("more was said meanwhile than is held");
    this.#messages.push(message);
  }

  /** What follows on what it was handed. */
  take(): readonly BroadcastMessage[] {
    const messages = this.#messages.filter(({ offset }) => offset > this.after!);
    this.#messages = [];
    return messages;
  }

  fail(why: string | Error): void {
    if (this.isOver) return;
    this.why = why instanceof Error ? why : new Unheld(why);
    this.#messages = [];
    this.stopped?.();
    this.failed?.(this.why);
  }
}
