/** Sums of fractions may fall short of a whole token by this much, after all the time that it takes. */
const roundingError = 1e-9;

/** What `tokens` have become after some time. A step back of the clock counts as no time. */
export function refilled(tokens: number, ms: number, perSecond: number, burst: number): number {
  return ms <= 0 ? tokens : Math.min(burst, tokens + (ms * perSecond) / 1_000);
}

/** Are so many tokens there? */
export function suffices(tokens: number, count: number): boolean {
  return count <= tokens + roundingError;
}

/** Milliseconds until `count` tokens are there; 0 if they are, `Infinity` if the burst cannot hold them. */
export function waitMsFor(tokens: number, count: number, perSecond: number, burst: number): number {
  if (count > burst) return Infinity;
  return Math.max(0, Math.ceil(((count - tokens - roundingError) * 1_000) / perSecond));
}

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
    if (!suffices(this.#tokens, count)) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds until `count` tokens are there; 0 if they are, `Infinity` if the burst cannot hold them. */
  waitMs(nowMs: number, count = 1): number {
    this.#refill(nowMs);
    return waitMsFor(this.#tokens, count, this.#perSecond, this.#burst);
  }

  #refill(nowMs: number): void {
    this.#tokens = refilled(this.#tokens, nowMs - this.#asOfMs, this.#perSecond, this.#burst);
    this.#asOfMs = Math.max(this.#asOfMs, nowMs);
  }
}
