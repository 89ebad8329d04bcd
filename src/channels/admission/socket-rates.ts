import type { Limits } from "../limits.ts";
import { TokenBucket, refilled, suffices, waitMsFor } from "../../support/internal.ts";

/** Without a message over the rate for this long, an excess is over. */
const excessEndsMs = 1_000;

/** What one client may send, counted: buckets that are refilled together, as fields, for there are as many as clients. */
export class SocketRates {
  readonly #limits: Limits;
  #asOfMs: number;
  #messages: number;
  #bytes: number;
  #joins: number;
  #failedJoins: TokenBucket | undefined = undefined;
  #strikes = 0;
  /** Since when it sends too fast, and when it last did. */
  #excess: { readonly sinceMs: number; lastMs: number } | undefined = undefined;

  constructor(limits: Limits, nowMs: number) {
    this.#limits = limits;
    this.#asOfMs = nowMs;
    this.#messages = limits.messageBurst;
    this.#bytes = limits.byteBurst;
    this.#joins = limits.joinBurst;
  }

  /** A message of so many bytes: it may pass, is to be refused, or is one too many. */
  message(bytes: number, nowMs: number): "passes" | "refused" | "tooMany" {
    this.#refill(nowMs);
    if (!suffices(this.#bytes, bytes)) return "tooMany";
    this.#bytes -= bytes;
    if (suffices(this.#messages, 1)) {
      this.#messages--;
      return "passes";
    }
    if (this.#excess === undefined || nowMs - this.#excess.lastMs > excessEndsMs)
      this.#excess = { sinceMs: nowMs, lastMs: nowMs };
    this.#excess.lastMs = nowMs;
    return nowMs - this.#excess.sinceMs < this.#limits.overRateMs ? "refused" : "tooMany";
  }

  /** May it join now? 0, or how many ms to wait. */
  join(nowMs: number): number {
    this.#refill(nowMs);
    if (suffices(this.#joins, 1)) {
      this.#joins--;
      return 0;
    }
    const { joinsPerSecond, joinBurst } = this.#limits;
    return Math.max(waitMsFor(this.#joins, 1, joinsPerSecond, joinBurst), 1);
  }

  /** One more join came to nothing; false when that was one too many. */
  failedJoin(nowMs: number): boolean {
    const { failedJoinsPerMinute: perMinute } = this.#limits;
    this.#failedJoins ??= new TokenBucket(perMinute / 60, perMinute, nowMs);
    return this.#failedJoins.take(nowMs);
  }

  /** One more message overstepped a limit; false when that was the last. */
  strike(): boolean {
    return ++this.#strikes < this.#limits.maxStrikes;
  }

  #refill(nowMs: number): void {
    const ms = nowMs - this.#asOfMs;
    if (ms <= 0) return;
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.#limits;
    const { joinsPerSecond, joinBurst } = this.#limits;
    this.#messages = refilled(this.#messages, ms, messagesPerSecond, messageBurst);
    this.#bytes = refilled(this.#bytes, ms, bytesPerSecond, byteBurst);
    this.#joins = refilled(this.#joins, ms, joinsPerSecond, joinBurst);
    this.#asOfMs = nowMs;
  }
}
