import { checkInteger, invalidOption } from "../support/internal.ts";
import { checkKnown, checkMs } from "./check.ts";

/** How long something waits before it is tried again: longer with each time in a row. */
export interface Backoff {
  /** The first wait, in ms. */
  readonly firstMs: number;
  /** The longest wait, in ms. */
  readonly maxMs: number;
  /** Each wait is so many times the one before; default 2. */
  readonly factor?: number;
  /** So much of each wait is left to chance, from 0 to 1, lest many come back at once; default 0. */
  readonly jitter?: number;
  /** What has been up for so long begins with `firstMs` again; default `maxMs`. */
  readonly resetAfterMs?: number;
}

const known: ReadonlySet<string> = new Set([
  "firstMs",
  "maxMs",
  "factor",
  "jitter",
  "resetAfterMs",
]);

/** Refuses what is neither ms nor a back-off. @throws SLUICE_INVALID_OPTION */
export function checkBackoff(option: string, value: unknown): void {
  if (typeof value === "number") return checkMs(option, value, false);
  if (typeof value !== "object" || value === null)
    throw invalidOption(option, value, "milliseconds, or { firstMs, maxMs }");
  checkKnown(option, value, known);
  const { firstMs, maxMs, factor = 2, jitter = 0, resetAfterMs = maxMs } = value as Backoff;
  checkInteger(`${option}.firstMs`, firstMs, 1);
  checkInteger(`${option}.maxMs`, maxMs, firstMs);
  checkMs(`${option}.resetAfterMs`, resetAfterMs);
  if (!(factor >= 1 && factor < Infinity))
    throw invalidOption(`${option}.factor`, factor, "1 or more");
  if (!(jitter >= 0 && jitter <= 1)) throw invalidOption(`${option}.jitter`, jitter, "0 to 1");
}

/** The waits of one thing that is tried again and again: a pure value but for how often that was. */
export class Waits {
  readonly #backoff: number | Backoff;
  #inARow = 0;

  constructor(backoff: number | Backoff) {
    this.#backoff = backoff;
  }

  /** It was up for so long before it ended. */
  wasUp(ms: number): void {
    const backoff = this.#backoff;
    if (typeof backoff === "object" && ms >= (backoff.resetAfterMs ?? backoff.maxMs))
      this.#inARow = 0;
  }

  /** How long to wait now; `random` is from 0 to 1. */
  next(random: () => number): number {
    const backoff = this.#backoff;
    if (typeof backoff === "number") return backoff;
    const { firstMs, maxMs, factor = 2, jitter = 0 } = backoff;
    const ms = Math.min(maxMs, firstMs * factor ** this.#inARow++);
    return jitter === 0 ? ms : ms * (1 - jitter * random());
  }
}
