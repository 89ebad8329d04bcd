import { ClosureMessage, cellOf, isThenable } from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { log } from "../telemetry/internal.ts";
import { invalidReturn } from "./accepting.ts";
import { Producer } from "./producer.ts";
import type { ProducerEngine } from "./producer-engine.ts";

/** Classes made by the shorthands that emit. */
export type ProducerClass<Out> = new () => Producer<Out>;

/** Events taken from a synchronous iterable before they are sent on. */
const batchSize = 1_000;

type Open<Out> = (context: Context) => Iterable<Out> | AsyncIterable<Out>;

/** Steps an iterator as far as is asked, one pending step at a time, beside the mailbox. */
class FromProducer<Out> extends Producer<Out> {
  readonly #open: Open<Out>;
  #iterator: Iterator<Out> | AsyncIterator<Out> | undefined = undefined;
  #stepping = false;
  /** The next step is a message on its way. */
  #stepsSoon = false;
  #ended = false;

  constructor(open: Open<Out>) {
    super();
    this.#open = open;
  }

  protected override init(): void {
    const iterable = this.#open(this.self) as
      | Partial<Iterable<Out> & AsyncIterable<Out>>
      | undefined;
    const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
    if (iterator === undefined)
      throw invalidReturn(cellOf(this), "from", iterable, "an iterable or an async iterable");
    this.#iterator = iterator;
  }

  protected override handleDemand(): void {
    this.#step();
  }

  protected override handleCancel(): void {
    this.#engine.forget();
  }

  get #engine(): ProducerEngine {
    return cellOf(this).engine as ProducerEngine;
  }

  #step(): void {
    const { closed, outlet } = this.#engine;
    if (closed || this.#stepping || this.#ended) return;
    const ready: Out[] = [];
    try {
      this.#ended = !this.#collect(ready, Math.min(outlet.requested, batchSize));
    } finally {
      // What came before a failure is let out before it.
      if (ready.length > 0) this.emit(ready);
    }
    if (this.#ended) this.#finish();
    // An endless source shares the thread: the rest of the demand is another message.
    else if (outlet.requested > 0 && !this.#stepping && !this.#stepsSoon) {
      this.#stepsSoon = true;
      cellOf(this).send(
        new ClosureMessage(() => {
          this.#stepsSoon = false;
          this.#step();
        }),
      );
    }
  }

  /** Collects up to `count` events, as far as they come at once; false when the iterable has ended. */
  #collect(ready: Out[], count: number): boolean {
    while (ready.length < count) {
      const step = this.#iterator!.next();
      if (isThenable(step)) {
        this.#await(step as PromiseLike<IteratorResult<Out>>);
        break;
      }
      if (step.done === true) return false;
      ready.push(step.value);
    }
    return true;
  }

  #await(step: PromiseLike<IteratorResult<Out>>): void {
    const cell = cellOf(this);
    this.#stepping = true;
    step.then(
      (result) => cell.send(new ClosureMessage(() => this.#arrived(result))),
      (error: unknown) =>
        cell.send(
          new ClosureMessage(() => {
            throw error;
          }),
        ),
    );
  }

  #arrived(result: IteratorResult<Out>): void {
    this.#stepping = false;
    if (result.done === true) return this.#finish();
    this.emit([result.value]);
    this.#step();
  }

  /** The last events are out before the stage ends. */
  #finish(): void {
    this.#ended = true;
    this.#iterator = undefined;
    this.self.afterBuffered(() => this.self.stop("normal"));
  }

  protected override terminate(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    // A generator that waits for its source would answer only when that does: it is told, not awaited.
    const close = async (): Promise<unknown> => iterator?.return?.();
    close().catch((error: unknown) =>
      log("warning", `the source of ${this.self.pid} failed to close`, error),
    );
  }
}

/**
 * A producer that pulls exactly what is demanded from an iterable: an array, a generator, a Node readable, a file's
 * lines. It is opened at start, once per incarnation; a pending step survives the coming and going of consumers, and
 * `context.signal` aborts at stop. When the iterable ends, the stage ends with `"normal"` after its last event is taken;
 * when it throws, the stage crashes. Without consumers nothing is pulled.
 */
export function from<Out>(
  open: (context: Context) => Iterable<Out> | AsyncIterable<Out>,
): ProducerClass<Out> {
  return class From extends FromProducer<Out> {
    constructor() {
      super(open);
    }
  };
}
