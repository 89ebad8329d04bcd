import { SluiceError, describe } from "../support/internal.ts";
import { sleep } from "../process/internal.ts";
import type { Within } from "./expected.ts";

/** How long a test waits for what is to come, and for what is not. */
const defaultWithinMs = 3_000;
const defaultQuietMs = 100;

/** What has come to a test client and was not expected yet, in order; a test takes out what it looks for. */
export class TestInbox<T> {
  readonly #owner: string;
  readonly #show: (value: T) => string;
  readonly #arrived: T[] = [];
  readonly #lookers: Set<() => void> = new Set();

  constructor(owner: string, show: (value: T) => string) {
    this.#owner = owner;
    this.#show = show;
  }

  push(value: T): void {
    this.#arrived.push(value);
    for (const look of this.#lookers) look();
  }

  /** The first that fits, now or in time. @throws SLUICE_UNEXPECTED as a rejection, with what has come instead */
  async take<S extends T>(
    expected: string,
    fits: (value: T) => value is S,
    { withinMs = defaultWithinMs }: Within = {},
  ): Promise<S> {
    const found = this.#find(fits);
    if (found !== undefined) return found;
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    const end = new AbortController();
    const look = (): void => {
      const value = this.#find(fits);
      if (value !== undefined) resolve(value);
    };
    this.#lookers.add(look);
    sleep(withinMs, end.signal).then(
      () => reject(this.unexpected(expected, this.#shown(withinMs))),
      () => {},
    );
    try {
      return await promise;
    } finally {
      this.#lookers.delete(look);
      end.abort();
    }
  }

  /** None that fits comes. @throws SLUICE_UNEXPECTED as a rejection */
  async none(
    expected: string,
    fits: (value: T) => boolean,
    { withinMs = defaultQuietMs }: Within = {},
  ): Promise<void> {
    if (!this.#arrived.some(fits)) await sleep(withinMs);
    const came = this.#arrived.find(fits);
    if (came !== undefined) throw this.unexpected(expected, this.#show(came));
  }

  unexpected(expected: string, got: string): SluiceError<"SLUICE_UNEXPECTED"> {
    const message = `${this.#owner}: expected ${expected}, got ${got}`;
    return new SluiceError("SLUICE_UNEXPECTED", message, { probe: this.#owner, expected, got });
  }

  #find<S extends T>(fits: (value: T) => value is S): S | undefined {
    const at = this.#arrived.findIndex(fits);
    return at < 0 ? undefined : (this.#arrived.splice(at, 1)[0] as S);
  }

  #shown(withinMs: number): string {
    if (this.#arrived.length === 0) return `nothing within ${withinMs} ms`;
    return `within ${withinMs} ms only ${this.#arrived.slice(-5).map(this.#show).join(", ")}`;
  }
}

/** A value for people, as far as it can be told. */
export function shown(event: string, payload: unknown): string {
  return `${JSON.stringify(event)} ${describe(payload)}`;
}
