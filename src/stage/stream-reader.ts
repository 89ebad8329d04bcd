import { Deque, isOrderly, type ExitReason } from "../support/internal.ts";
import { currentSystem, thread } from "../runtime/internal.ts";
import { Cell, cellOf, planOf } from "../process/internal.ts";
import { Process } from "../process/index.ts";
import {
  StreamEngine,
  endedError,
  type Outcome,
  type Pulling,
  type StreamTerms,
} from "./stream-engine.ts";
import type { From, SubscriptionTerms } from "./subscription.ts";

/** What a reader is to its producers. */
class StreamConsumer extends Process {
  protected handleSubscribe(
    _role: "producer" | "consumer",
    _terms: SubscriptionTerms,
    from: From,
  ): "automatic" | "manual" {
    return (cellOf(this).engine as StreamEngine).subscribed(from);
  }
}

type Step = IteratorResult<unknown, undefined>;

/** An iterator whose every step is a pull: it subscribes with the first, and however it ends, it leaves nothing behind. */
export class Reader implements Pulling {
  readonly #terms: StreamTerms;
  readonly #waiting: Deque<PromiseWithResolvers<Step>> = new Deque();
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #abort: () => void = () => this.#end({ error: this.#signal?.reason }, true);
  #signal: AbortSignal | undefined;
  #engine: StreamEngine | undefined = undefined;
  /** How it is over. An error is told once; after it there is no more. */
  #outcome: Outcome | undefined = undefined;
  #closed = false;

  constructor(terms: StreamTerms) {
    this.#terms = terms;
    this.#signal = terms.signal;
  }

  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  next(): Promise<Step> {
    const engine = (this.#engine ??= this.#open());
    if (engine !== undefined && this.#outcome === undefined) {
      if (engine.due !== undefined) engine.askDue();
      const step = this.waits ? undefined : engine.take();
      if (step !== undefined) return Promise.resolve(step);
    }
    const pending = Promise.withResolvers<Step>();
    this.#waiting.push(pending);
    if (engine?.over !== undefined) this.#end(engine.over, false);
    if (this.#closed) this.#settle();
    return pending.promise;
  }

  async return(): Promise<Step> {
    this.#end("done", false);
    await this.#gone.promise;
    // Whoever leaves is not told any more what went wrong.
    this.#outcome = "done";
    return { value: undefined, done: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  "~resolve"(): Cell | undefined {
    return this.#engine?.cell;
  }

  toString(): string {
    return this.#engine?.cell.pid ?? "a stream that nobody has read";
  }

  /** The first pull: nothing is subscribed to before. */
  #open(): StreamEngine | undefined {
    if (this.#outcome !== undefined) return undefined;
    this.#signal ??= thread.running?.scopeSignal;
    if (this.#signal?.aborted === true) {
      this.#abort();
      return undefined;
    }
    this.#signal?.addEventListener("abort", this.#abort);
    const source = this.#terms.readings[0]?.subscription.to["~resolve"]() as Cell | undefined;
    const cell = new Cell(source?.system ?? currentSystem(), plan, undefined);
    const engine = new StreamEngine(cell, this.#terms, this);
    cell.engine = engine;
    // A failed start is told to whoever reads, and to nobody else.
    cell.onStart = () => {};
    cell.begin();
    return engine;
  }

  arrived(): void {
    const engine = this.#engine!;
    while (this.waits) {
      const step = engine.take();
      if (step === undefined) break;
      this.#waiting.shift()!.resolve(step);
    }
    if (this.waits && engine.over !== undefined) this.#end(engine.over, false);
  }

  exited(reason: ExitReason): void {
    const { up, cell } = this.#engine!;
    const failed = up || typeof reason === "string" || "shutdown" in reason;
    const error = failed ? endedError(cell.pid, reason) : reason.crash;
    this.#outcome ??= isOrderly(reason) ? "done" : { error };
    this.#close();
  }

  #end(outcome: Outcome, atOnce: boolean): void {
    this.#outcome ??= outcome;
    if (this.#engine !== undefined) this.#engine.close(atOnce);
    else this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#gone.resolve();
    this.#settle();
  }

  #settle(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const outcome = this.#outcome!;
      this.#outcome = "done";
      if (outcome === "done") next.resolve({ value: undefined, done: true });
      else next.reject(outcome.error);
    }
  }
}

const plan = planOf(StreamConsumer, {}, "stream");
