import {
  Deque,
  SluiceError,
  checkInteger,
  invalidOption,
  type TimerEntry,
} from "../support/internal.ts";
import { currentSystem, thread, type Scope, type System } from "../runtime/internal.ts";
import { LazySignal } from "./abort.ts";
import { checkFunction, checkKnown, checkMs, checkOneOf } from "./check.ts";
import type { Context } from "./process.ts";
import { startIn } from "./start-in.ts";
import { isThenable } from "./thenable.ts";

/** How much of a stream is worked on at once, and for how long. */
export interface TaskStreamOptions {
  /** Items begun and not yet handed over, at most; default 10. */
  readonly maxConcurrency?: number;
  /** Results come in the order of the items, else in that of their ends; default true. */
  readonly ordered?: boolean;
  /** Time for each item, in ms; `Infinity` for no limit; default 5,000. */
  readonly timeoutMs?: number;
  /** Ends all of it; default that of the process whose callback calls this (after an `await`, pass it). */
  readonly signal?: AbortSignal;
}

const known: ReadonlySet<string> = new Set<keyof TaskStreamOptions>([
  "maxConcurrency",
  "ordered",
  "timeoutMs",
  "signal",
]);

/** The work on one item. */
class ItemTask<R> implements Scope {
  readonly system: System;
  readonly context = new LazySignal();
  readonly #settled: (task: ItemTask<R>) => void;
  readonly #timer: TimerEntry<() => void>;
  result: PromiseSettledResult<R> | undefined = undefined;

  constructor(
    system: System,
    timeoutMs: number,
    work: (context: Context) => R | PromiseLike<R>,
    settled: (task: ItemTask<R>) => void,
  ) {
    this.system = system;
    this.#settled = settled;
    this.#timer = system.after(timeoutMs, () => {
      const message = `an item of a task stream was not done in ${timeoutMs} ms`;
      this.abandon(new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs }));
    });
    startIn(this, () => work(this.context)).then(
      (value) => this.#settle({ status: "fulfilled", value }),
      (reason: unknown) => this.#settle({ status: "rejected", reason }),
    );
  }

  get scopeSignal(): AbortSignal {
    return this.context.signal;
  }

  abandon(why: SluiceError): void {
    LazySignal.abort(this.context, why);
    this.#settle({ status: "rejected", reason: why });
  }

  /** Once: what comes after a timeout is lost. */
  #settle(result: PromiseSettledResult<R>): void {
    if (this.result !== undefined) return;
    this.result = result;
    this.system.cancel(this.#timer);
    this.#settled(this);
  }
}

/** What can be pulled from, whether or not it answers at once. */
interface Source<T> {
  next(): IteratorResult<T> | PromiseLike<IteratorResult<T>>;
  return?(): unknown;
}

function sourceOf<T>(items: Iterable<T> | AsyncIterable<T>): Source<T> {
  const all = items as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
  const source = all?.[Symbol.asyncIterator]?.() ?? all?.[Symbol.iterator]?.();
  if (source === undefined)
    throw invalidOption("items", items, "an iterable, or an async iterable");
  return source as Source<T>;
}

class TaskStream<T, R> {
  readonly #source: Source<T>;
  readonly #work: (item: T, context: Context) => R | PromiseLike<R>;
  readonly #system: System;
  readonly #max: number;
  readonly #timeoutMs: number;
  readonly #ordered: boolean;
  /** Begun and not handed over: in the order of the items, and in that of their ends. */
  readonly #begun = new Deque<ItemTask<R>>();
  readonly #ended = new Deque<ItemTask<R>>();
  readonly #open = new Set<ItemTask<R>>();
  #pulling = false;
  #over: { readonly error?: unknown } | undefined = undefined;
  #wake: () => void = () => {};

  constructor(
    source: Source<T>,
    work: (item: T, context: Context) => R | PromiseLike<R>,
    { maxConcurrency = 10, ordered = true, timeoutMs = 5_000 }: TaskStreamOptions,
  ) {
    this.#source = source;
    this.#work = work;
    this.#system = currentSystem();
    this.#max = maxConcurrency;
    this.#ordered = ordered;
    this.#timeoutMs = timeoutMs;
  }

  async *results(signal: AbortSignal | undefined): AsyncGenerator<PromiseSettledResult<R>, void> {
    const wake = (): void => this.#wake();
    signal?.addEventListener("abort", wake);
    try {
      for (;;) {
        signal?.throwIfAborted();
        this.#pull();
        const result = this.#take();
        if (result !== undefined) yield result;
        else if (this.#over !== undefined && this.#open.size === 0) return this.#close();
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      await this.#cancel();
    }
  }

  /** What the source failed with comes after all that it gave before. */
  #close(): void {
    if (this.#over !== undefined && "error" in this.#over) throw this.#over.error;
  }

  #take(): PromiseSettledResult<R> | undefined {
    const next = this.#ordered ? this.#begun.at(0) : this.#ended.at(0);
    if (next?.result === undefined) return undefined;
    (this.#ordered ? this.#begun : this.#ended).shift();
    this.#open.delete(next);
    return next.result;
  }

  #pull(): void {
    while (!this.#pulling && this.#over === undefined && this.#open.size < this.#max) {
      try {
        const step = this.#source.next();
        if (!isThenable(step)) this.#pulled(step);
        else {
          this.#pulling = true;
          void this.#wait(step);
        }
      } catch (error) {
        this.#over = { error };
      }
    }
  }

  async #wait(step: PromiseLike<IteratorResult<T>>): Promise<void> {
    try {
      this.#pulled(await step);
    } catch (error) {
      this.#over ??= { error };
    }
    this.#pulling = false;
    this.#wake();
  }

  #pulled({ done, value }: IteratorResult<T>): void {
    if (done === true) this.#over ??= {};
    // What comes after a cancel is not begun.
    else if (this.#over === undefined) {
      const work = (context: Context): R | PromiseLike<R> => this.#work(value, context);
      const task = new ItemTask<R>(this.#system, this.#timeoutMs, work, (ended) => {
        if (!this.#ordered) this.#ended.push(ended);
        this.#wake();
      });
      this.#open.add(task);
      if (this.#ordered) this.#begun.push(task);
    }
  }

  /** Left early: what is open is told, and the source too, though not waited for where it would not answer. */
  async #cancel(): Promise<void> {
    const over = this.#over !== undefined;
    this.#over ??= {};
    const why = new SluiceError("SLUICE_EXITED", "the task stream was left", { reason: "normal" });
    for (const task of this.#open) task.abandon(why);
    if (over) return;
    const returned = (async () => this.#source.return?.())();
    if (this.#pulling) returned.catch(() => {});
    else await returned;
  }
}

/**
 * Maps a source by tasks, a bounded number at once, and yields how each ended; one that fails or is late fails alone,
 * and gives its place to the next. The source is pulled only while somebody waits for a result, and never further than
 * `maxConcurrency` items ahead of what was handed over. Leaving the loop aborts what is open and closes the source; if
 * the source fails, that is thrown after the results of all that it gave.
 *
 * ```ts
 * import { sleep, taskStream } from "sluice";
 *
 * const pages = ["/", "/docs", "/blog"];
 * const load = async (page: string, { signal }: { readonly signal: AbortSignal }): Promise<number> => {
 *   await sleep(1, signal);
 *   return page.length;
 * };
 * for await (const result of taskStream(pages, load, { maxConcurrency: 2, timeoutMs: 1_000 })) {
 *   if (result.status === "rejected") throw result.reason;
 *   console.info(result.value);
 * }
 * ```
 * @throws SLUICE_INVALID_OPTION; from the loop, the signal's reason, and what the source throws
 */
export function taskStream<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T, context: Context) => R | PromiseLike<R>,
  options: TaskStreamOptions = {},
): AsyncGenerator<PromiseSettledResult<R>, void> {
  checkFunction("work", work);
  checkKnown("taskStream", options, known);
  const { maxConcurrency = 10, ordered = true, timeoutMs = 5_000, signal } = options;
  checkInteger("maxConcurrency", maxConcurrency, 1);
  checkOneOf("ordered", ordered, [true, false]);
  checkMs("timeoutMs", timeoutMs);
  const until = signal ?? thread.running?.scopeSignal;
  return new TaskStream(sourceOf(items), work, options).results(until);
}
