import { ClosureMessage, cellOf, isThenable } from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { Producer } from "./producer.ts";
import type { ProducerEngine } from "./producer-engine.ts";

/** Classes made by the shorthands that emit. */
export type ProducerClass<Out> = new () => Producer<Out>;

/** Events taken from a synchronous iterable before they are sent on. */
const batchSize = 1_000;

/** Steps an iterator as far as is asked, one pending step at a time, beside the mailbox. */
abstract class FromProducer<Out> extends Producer<Out> {
  #iterator: Iterator<Out> | AsyncIterator<Out> | undefined = undefined;
  #wanted = 0;
  #stepping = false;
  #ended = false;

  protected abstract open(context: Context): Iterable<Out> | AsyncIterable<Out>;

  protected override init(): void {
    const iterable = this.open(this.self);
    this.#iterator =
      Symbol.asyncIterator in iterable
        ? iterable[Symbol.asyncIterator]()
        : iterable[Symbol.iterator]();
  }

  protected override handleDemand(demand: number): void {
    this.#wanted += demand;
    this.#step();
  }

  /** Closed by a drain or a stop: no further step. */
  get #closed(): boolean {
    return this.#ended || (cellOf(this).engine as ProducerEngine).closed;
  }

  #step(): void {
    const ready: Out[] = [];
    while (this.#wanted > 0 && !this.#stepping && !this.#closed) {
      const step = this.#iterator!.next();
      if (isThenable(step)) this.#await(step as PromiseLike<IteratorResult<Out>>);
      else if (step.done === true) this.#end();
      else {
        this.#wanted--;
        ready.push(step.value);
        if (ready.length === batchSize) {
          // An endless source shares the thread: the rest of the demand is another message.
          if (this.#wanted > 0) cellOf(this).send(new ClosureMessage(() => this.#step()));
          break;
        }
      }
    }
    if (ready.length > 0) this.emit(ready);
    if (this.#ended) this.#finish();
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
    if (result.done === true) this.#end();
    else {
      this.#wanted--;
      this.emit([result.value]);
    }
    if (this.#ended) this.#finish();
    else this.#step();
  }

  #end(): void {
    this.#ended = true;
    this.#iterator = undefined;
  }

  /** The last events are out before the stage ends. */
  #finish(): void {
    this.self.afterBuffered(() => this.self.stop("normal"));
  }

  protected override terminate(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    // A generator that waits for its source would answer only when that does: it is told, not awaited.
    void Promise.resolve(iterator?.return?.()).catch(() => {});
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
    protected override open(context: Context): Iterable<Out> | AsyncIterable<Out> {
      return open(context);
    }
  };
}
