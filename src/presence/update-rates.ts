interface Rate {
  tokens: number;
  asOfMs: number;
}

/** How often each key of a topic is updated on this node: so many per second, and as many at once. Time is handed in. */
export class UpdateRates {
  readonly #perSecond: number;
  readonly #rates: Map<string, Map<string, Rate>> = new Map();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes one, if there is one. */
  take(topic: string, key: string, nowMs: number): boolean {
    let keys = this.#rates.get(topic);
    if (keys === undefined) this.#rates.set(topic, (keys = new Map<string, Rate>()));
    let rate = keys.get(key);
    if (rate === undefined) keys.set(key, (rate = { tokens: this.#perSecond, asOfMs: nowMs }));
    this.#refill(rate, nowMs);
    if (rate.tokens < 1) return false;
    rate.tokens--;
    return true;
  }

  /** Lets go of keys that have not been updated for a while. */
  sweep(nowMs: number): void {
    for (const [topic, keys] of this.#rates) {
      for (const [key, rate] of keys) {
        this.#refill(rate, nowMs);
        if (rate.tokens >= this.#perSecond) keys.delete(key);
      }
      if (keys.size === 0) this.#rates.delete(topic);
    }
  }

  #refill(rate: Rate, nowMs: number): void {
    // Whole intervals, so that sums of fractions never fall short.
    const intervalMs = 1_000 / this.#perSecond;
    const flown = Math.floor((nowMs - rate.asOfMs) / intervalMs + 1e-9);
    if (flown <= 0) return;
    rate.tokens = Math.min(this.#perSecond, rate.tokens + flown);
    rate.asOfMs = rate.tokens === this.#perSecond ? nowMs : rate.asOfMs + flown * intervalMs;
  }
}
