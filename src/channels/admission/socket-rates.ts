import type { Limits } from "../limits.ts";
import { TokenBucket } from "../../support/internal.ts";

/** Without a message over the rate for this long, an excess is over. */
const excessEndsMs = 1_000;

/** What one client may send, counted. */
export class SocketRates {
  readonly #limits: Limits;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  #joins: TokenBucket | undefined = undefined;
  #failedJoins: TokenBucket | undefined = undefined;
  #strikes = 0;
  /** Since when it sends too fast, and when it last did. */
  #excess: { readonly sinceMs: number; lastMs: number } | undefined = undefined;

  constructor(limits: Limits, nowMs: number) {
    this.#limits = limits;
    this.#messages = new TokenBucket(limits.messagesPerSecond, limits.messageBurst, nowMs);
    this.#bytes = new TokenBucket(limits.bytesPerSecond, limits.byteBurst, nowMs);
  }

  /** A message of so many bytes: it may pass, is to be refused, or is one too many. */
  message(bytes: number, nowMs: number): "passes" | "refused" | "tooMany" {
    if (!this.#bytes.take(nowMs, bytes)) return "tooMany";
    if (this.#messages.take(nowMs)) return "passes";
    if (this.#excess === undefined || nowMs - this.#excess.lastMs > excessEndsMs)
      this.#excess = { sinceMs: nowMs, lastMs: nowMs };
    this.#excess.lastMs = nowMs;
    return nowMs - this.#excess.sinceMs < this.#limits.overRateMs ? "refused" : "tooMany";
  }

  /** May it join now? 0, or how many ms to wait. */
  join(nowMs: number): number {
    const { joinsPerSecond, joinBurst } = this.#limits;
    this.#joins ??= new TokenBucket(joinsPerSecond, joinBurst, nowMs);
    return this.#joins.take(nowMs) ? 0 : Math.max(this.#joins.waitMs(nowMs), 1);
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
}
