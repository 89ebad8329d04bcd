/** How many restarts a supervisor may need in a sliding window before it gives up: a pure value (O22). */
export class RestartIntensity {
  readonly maxRestarts: number;
  readonly seconds: number;
  readonly restarts: number[] = [];

  constructor(maxRestarts: number, maxSeconds: number) {
    this.maxRestarts = maxRestarts;
    this.seconds = maxSeconds;
  }

  /** One more restart, now: is it within the limit? */
  allows(nowMs: number): boolean {
    this.restarts.push(nowMs);
    while (this.restarts[0]! < nowMs - this.seconds * 1_000) this.restarts.shift();
    return this.restarts.length <= this.maxRestarts;
  }
}
