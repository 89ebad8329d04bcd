import { Deque, SluiceError, checkInteger, invalidOption } from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { checkKnown, checkOneOf } from "../process/internal.ts";
import { discarded } from "../telemetry/internal.ts";

/** Who is told by an observable. */
export interface Observer<T> {
  /** A value. */
  next(value: T): void;
  /** It failed: nothing follows. */
  error(error: unknown): void;
  /** Nothing follows. */
  complete(): void;
}

/** What can be subscribed to, in the shape of RxJS, of TC39's proposal or of the browsers. */
export interface ObservableLike<T> {
  /** Begins to tell; ended by the function or the object with `unsubscribe` that it returns, or by the signal. */
  subscribe(observer: Observer<T>, options: { readonly signal: AbortSignal }): unknown;
}

/** An observable cannot be told to wait: what becomes of what comes too fast. */
export interface ObserveOptions {
  /**
   * When `bufferSize` values wait: `"dropOldest"` or `"dropNewest"` lets one go, `"fail"` unsubscribes and fails with
   * `SLUICE_BUFFER_FULL` after those that wait; `"latest"` keeps only the newest value, and has no `bufferSize`.
   */
  readonly overflow: "dropOldest" | "dropNewest" | "latest" | "fail";
  /** Most values waiting to be pulled; default 1,000. */
  readonly bufferSize?: number;
}

/** What `observe` returns: each iteration of it subscribes anew. */
export interface Observed<T> extends AsyncIterable<T> {
  /** Values that wait to be pulled, over all iterations. */
  readonly waiting: number;
  /** Values that were let go so far. */
  readonly dropped: number;
}

interface Gauge {
  waiting: number;
  dropped: number;
}

type Step<T> = IteratorResult<T, undefined>;

/** One subscription to an observable, pulled: made by the first pull, left however it ends. */
class Observation<T> implements Observer<T> {
  readonly #observable: ObservableLike<T>;
  readonly #overflow: ObserveOptions["overflow"];
  readonly #limit: number;
  readonly #gauge: Gauge;
  readonly #values: Deque<T> = new Deque();
  readonly #pulls: Deque<PromiseWithResolvers<Step<T>>> = new Deque();
  readonly #left: AbortController = new AbortController();
  #subscription: unknown = undefined;
  #subscribed = false;
  /** Who pulls, for telemetry. */
  #stage = "observe";
  /** Nothing follows what waits. An error is told once. */
  #outcome: "done" | { readonly error: unknown } | undefined = undefined;

  constructor(
    observable: ObservableLike<T>,
    overflow: ObserveOptions["overflow"],
    limit: number,
    gauge: Gauge,
  ) {
    this.#observable = observable;
    this.#overflow = overflow;
    this.#limit = limit;
    this.#gauge = gauge;
  }

  pull(): Promise<Step<T>> {
    if (this.#values.length > 0) {
      this.#gauge.waiting--;
      return Promise.resolve({ value: this.#values.shift() as T, done: false });
    }
    const pull = Promise.withResolvers<Step<T>>();
    this.#pulls.push(pull);
    if (this.#outcome !== undefined) this.#settle();
    else if (!this.#subscribed) this.#subscribe();
    return pull.promise;
  }

  leave(): void {
    this.#gauge.waiting -= this.#values.length;
    this.#values.clear();
    this.#outcome = "done";
    this.#settle();
    this.#unsubscribe();
  }

  #subscribe(): void {
    this.#subscribed = true;
    this.#stage = (thread.running as { readonly pid?: string } | undefined)?.pid ?? "observe";
    try {
      this.#subscription = this.#observable.subscribe(this, { signal: this.#left.signal });
    } catch (error) {
      this.error(error);
    }
    // What tells at once may have been left before it said how.
    if (this.#left.signal.aborted) this.#tearDown();
  }

  #unsubscribe(): void {
    if (!this.#subscribed || this.#left.signal.aborted) return;
    this.#left.abort();
    this.#tearDown();
  }

  #tearDown(): void {
    const subscription = this.#subscription as { unsubscribe?(): void } | (() => void) | undefined;
    this.#subscription = undefined;
    if (typeof subscription === "function") subscription();
    else subscription?.unsubscribe?.();
  }

  next(value: T): void {
    if (this.#outcome !== undefined) return;
    const pull = this.#pulls.shift();
    if (pull !== undefined) return pull.resolve({ value, done: false });
    if (this.#values.length < this.#limit) {
      this.#gauge.waiting++;
      return this.#values.push(value);
    }
    if (this.#overflow === "fail") return this.#fail();
    if (this.#overflow !== "dropNewest") {
      this.#values.shift();
      this.#values.push(value);
    }
    this.#gauge.dropped++;
    if (discarded.active) discarded.emit({ stage: this.#stage, count: 1 });
  }

  error(error: unknown): void {
    this.#outcome ??= { error };
    this.#settle();
  }

  complete(): void {
    this.#outcome ??= "done";
    this.#settle();
  }

  #fail(): void {
    const limit = this.#limit;
    const message = `an observable told more than could wait: ${limit} values wait already`;
    this.error(new SluiceError("SLUICE_BUFFER_FULL", message, { limit }));
    this.#unsubscribe();
  }

  #settle(): void {
    for (let pull = this.#pulls.shift(); pull !== undefined; pull = this.#pulls.shift()) {
      const outcome = this.#outcome!;
      this.#outcome = "done";
      if (outcome === "done") pull.resolve({ value: undefined, done: true });
      else pull.reject(outcome.error);
    }
  }
}

const known: ReadonlySet<string> = new Set(["overflow", "bufferSize"]);

/**
 * Reads an observable as an async iterable, for `from` or a loop: what it tells waits in a bounded buffer until it is
 * pulled, and the chosen policy says what becomes of the rest. It is subscribed to by the first pull, once per iteration;
 * leaving unsubscribes. Its error rejects once, after the values before it. The other way round, what takes an async
 * iterable takes a stage as it is: RxJS's `from(stream(numbers))`.
 *
 * ```ts
 * import { from, observe, start, stream } from "sluice";
 *
 * const ticks = {
 *   subscribe(observer: { next(n: number): void; complete(): void }) {
 *     for (let n = 0; n < 5; n++) observer.next(n);
 *     observer.complete();
 *     return () => {};
 *   },
 * };
 * await using latest = await start(from(() => observe(ticks, { overflow: "dropOldest", bufferSize: 2 })));
 * for await (const n of stream(latest)) console.info(n);
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function observe<T>(observable: ObservableLike<T>, options: ObserveOptions): Observed<T> {
  if (typeof (observable as Partial<ObservableLike<T>> | undefined)?.subscribe !== "function")
    throw invalidOption("observe: observable", observable, "an object with subscribe");
  const { overflow, bufferSize = 1_000 } = (options ?? {}) as Partial<ObserveOptions>;
  checkKnown("observe", options ?? {}, known);
  checkOneOf("observe: overflow", overflow, ["dropOldest", "dropNewest", "latest", "fail"]);
  if (overflow === "latest" && options.bufferSize !== undefined)
    throw invalidOption("observe: bufferSize", bufferSize, 'none with overflow "latest"');
  checkInteger("observe: bufferSize", bufferSize, 1);
  const gauge: Gauge = { waiting: 0, dropped: 0 };
  return {
    get waiting() {
      return gauge.waiting;
    },
    get dropped() {
      return gauge.dropped;
    },
    [Symbol.asyncIterator]() {
      const limit = overflow === "latest" ? 1 : bufferSize;
      const observation = new Observation(observable, overflow!, limit, gauge);
      return {
        next: () => observation.pull(),
        async return() {
          observation.leave();
          return { value: undefined, done: true };
        },
      };
    },
  };
}
