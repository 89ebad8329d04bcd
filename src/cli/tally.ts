import { attach } from "../telemetry/index.ts";

/** What a pipe has taken in and let go, over all restarts of its processes. */
export class Tally {
  /** Events from the input and from posts. */
  received = 0;
  /** When the first of them came. */
  firstMs: number | undefined = undefined;
  /** Lines of the input that were no JSON, and were left out. */
  badLines = 0;
  /** Lines of the input that were cut for their length. */
  cutLines = 0;
  /** Events that were too large to be sent, and were left out. */
  refused = 0;
  /** Events that a full buffer let go. */
  dropped = 0;
  readonly #discards: Disposable;

  constructor() {
    this.#discards = attach("sluice.stage.discarded", ({ count }) => (this.dropped += count));
  }

  /** So many events have come. */
  receive(count: number, nowMs: number): void {
    if (count > 0) this.firstMs ??= nowMs;
    this.received += count;
  }

  [Symbol.dispose](): void {
    this.#discards[Symbol.dispose]();
  }
}
