/** Sums of fractions may fall short of a whole token by this much, after all the time that it takes. */
const roundingError = 1e-9;

/**
 * A rate with a burst: `perSecond` tokens flow in, at most `burst` are kept, and it starts full. Time is handed in,
 * from a monotonic clock; a step back counts as no time.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #asOfMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#asOfMs = nowMs;
  }

  /** Takes `count` tokens if all of them are there; takes none otherwise. More than the burst are never there. */
  take(nowMs: number, count = 1): boolean {
    this.#refill(nowMs);
    if (count > this.#tokens + roundingError) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds until `count` tokens are there; 0 if they are, `Infinity` if the burst cannot hold them. */
  waitMs(nowMs: number, count = 1): number {
    this.#refill(nowMs);
    if (count > this.#burst) return Infinity;
    return Math.max(
      0,
      Math.ceil(((count - this.#tokens - roundingError) * 1_000) / this.#perSecond),
    );
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#asOfMs) return;
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + ((nowMs - this.#asOfMs) * this.#perSecond) / 1_000,
    );
    this.#asOfMs = nowMs;
  }
}
