/** How often one thing may happen: so many times per second, and as many at once. Time is handed in. */
export class UpdateRate {
  readonly #perSecond: number;
  #tokens: number;
  #asOfMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#asOfMs = nowMs;
  }

  /** Takes one, if there is one. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** How long until there is one, in ms. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : this.#asOfMs + this.#intervalMs - nowMs;
  }

  get #intervalMs(): number {
    return 1_000 / this.#perSecond;
  }

  #refill(nowMs: number): void {
    // Whole intervals, so that sums of fractions never fall short.
    const flown = Math.floor((nowMs - this.#asOfMs) / this.#intervalMs + 1e-9);
    if (flown <= 0) return;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + flown);
    this.#asOfMs =
      this.#tokens === this.#perSecond ? nowMs : this.#asOfMs + flown * this.#intervalMs;
  }
}
