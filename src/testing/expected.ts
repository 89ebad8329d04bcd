import { isDeepStrictEqual } from "node:util";
import { SluiceError, describe } from "../support/internal.ts";
import { sleep } from "../process/internal.ts";

/** How long a probe waits for what is expected, in the time of its system. */
const defaultWithinMs = 3_000;

/** How long to wait, in the time of the system: virtual under `simulate`. */
export interface Within {
  /** Default 3,000; for what is not to come, 100. */
  readonly withinMs?: number;
}

/** Something else came than a test expects. */
function unexpected(
  probe: string,
  expected: string,
  got: string,
): SluiceError<"SLUICE_UNEXPECTED"> {
  const message = `${probe}: expected ${expected}, got ${got}`;
  return new SluiceError("SLUICE_UNEXPECTED", message, { probe, expected, got });
}

/** What comes to a probe, one by one, and who waits for it. */
export class Arrivals<T> {
  readonly #probe: string;
  /** What it is, for people. */
  readonly #what: string;
  readonly #arrived: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  constructor(probe: string, what: string) {
    this.#probe = probe;
    this.#what = what;
  }

  push(value: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#arrived.push(value);
    else taker(value);
  }

  /** The next one, however long it takes. */
  next(): Promise<T> {
    const value = this.#arrived.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next one in time. @throws SLUICE_UNEXPECTED as a rejection */
  async take(expected: string, withinMs: number = defaultWithinMs): Promise<T> {
    if (this.#arrived.length > 0) return this.#arrived.shift()!;
    const timeout = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    sleep(withinMs, timeout.signal).then(
      () => {
        this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
        reject(unexpected(this.#probe, expected, `nothing within ${withinMs} ms`));
      },
      () => {},
    );
    try {
      return await promise;
    } finally {
      timeout.abort();
    }
  }

  /** The next one is this. @throws SLUICE_UNEXPECTED as a rejection */
  async expect(value: T, withinMs?: number): Promise<void> {
    const expected = `${this.#what} ${describe(value)}`;
    const got = await this.take(expected, withinMs);
    if (isDeepStrictEqual(got, value)) return;
    const then = this.#arrived.slice(0, 3).map(describe).join(", ");
    throw unexpected(this.#probe, expected, describe(got) + (then && `, then ${then}`));
  }

  /** None comes. @throws SLUICE_UNEXPECTED as a rejection */
  async expectNone(withinMs = 100): Promise<void> {
    if (this.#arrived.length === 0) await sleep(withinMs);
    if (this.#arrived.length > 0)
      throw unexpected(
        this.#probe,
        `no ${this.#what} within ${withinMs} ms`,
        this.#arrived.map(describe).join(", "),
      );
  }
}
