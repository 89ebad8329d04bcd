import { log, unread } from "../telemetry/internal.ts";

/**
 * What came from the broker and was let go, by reason. The first of each is told at once, and what follows it once in a
 * heartbeat: whoever writes garbage does not write to the log.
 */
export class LetGo {
  /** Since the start. */
  count = 0;
  readonly #broker: string;
  readonly #logged: Set<string> = new Set();
  /** Since it was told last. */
  readonly #untold: Map<string, { count: number; length: number }> = new Map();

  constructor(broker: string) {
    this.#broker = broker;
  }

  /** @param reason of a closed list */
  add(reason: string, length: number): void {
    this.count++;
    const sum = this.#untold.get(reason);
    if (sum !== undefined) {
      sum.count++;
      sum.length += length;
      return;
    }
    this.#untold.set(reason, { count: 0, length: 0 });
    if (unread.active) unread.emit({ reason, count: 1, length });
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    log("warning", `${this.#broker}: what came is let go, and from now on only counted: ${reason}`);
  }

  /** Tells what has gathered. */
  tell(): void {
    for (const [reason, sum] of this.#untold) {
      if (sum.count === 0) this.#untold.delete(reason);
      else if (unread.active) unread.emit({ reason, ...sum });
      sum.count = sum.length = 0;
    }
  }
}
