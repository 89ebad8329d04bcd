import {
  closureMessage,
  cellOf,
  checkFunction,
  checkKnown,
  checkOneOf,
  isAbort,
  isThenable,
} from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { log } from "../telemetry/internal.ts";
import { invalidReturn } from "./accepting.ts";
import { openSource, type OpenSource, type Opened } from "./open-source.ts";
import { Producer } from "./producer.ts";
import type { ProducerEngine } from "./producer-engine.ts";

/** Classes made by the shorthands that emit. */
export type ProducerClass<Out> = new () => Producer<Out>;

/** Events taken from a synchronous iterable before they are sent on. */
const batchSize = 1_000;

/** What `from` does beyond reading. */
export interface FromOptions {
  /** When the last consumer has left: wait for the next, or stop with `"normal"`. Default `"continue"`. */
  readonly onCancel?: "continue" | "stop";
}

type Open<Out> = (context: Context) => Opened<Out>;

/** Steps a source as far as is asked, one pending step at a time, beside the mailbox. */
class FromProducer<Out> extends Producer<Out> {
  readonly #open: Open<Out>;
  readonly #onCancel: FromOptions["onCancel"];
  #source: OpenSource<Out> | undefined = undefined;
  #stepping = false;
  /** The next step is a message on its way. */
  #stepsSoon = false;
  #ended = false;

  constructor(open: Open<Out>, { onCancel }: FromOptions) {
    super();
    this.#open = open;
    this.#onCancel = onCancel;
  }

  protected override init(): void {
    const cell = cellOf(this);
    const opened: unknown = this.#open(this.self);
    this.#source = openSource(opened);
    if (this.#source === undefined)
      throw invalidReturn(cell, "from", opened, "an iterable, an async iterable or a stream");
    // A kill ends no source by itself.
    (cell.extras.onDead ??= new Set()).add(() => this.#close());
  }

  protected override handleDemand(): void {
    this.#step();
  }

  protected override handleCancel(): void {
    const { outlet } = this.#engine;
    this.#engine.forget();
    if (this.#onCancel === "stop" && outlet.consumptions.size === 0) this.self.stop("normal");
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
    } catch (error) {
      this.#fail(error);
    } finally {
      // What came before a failure is let out before it.
      if (ready.length > 0) this.emit(ready);
    }
    if (this.#ended) this.#finish();
    // An endless source shares the thread: the rest of the demand is another message.
    else if (outlet.requested > 0 && !this.#stepping && !this.#stepsSoon) {
      this.#stepsSoon = true;
      cellOf(this).send(
        closureMessage(() => {
          this.#stepsSoon = false;
          this.#step();
        }),
      );
    }
  }

  /** Collects up to `count` events, as far as they come at once; false when the iterable has ended. */
  #collect(ready: Out[], count: number): boolean {
    const { iterator } = this.#source!;
    while (ready.length < count) {
      const step = iterator.next();
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
      (result) => cell.send(closureMessage(() => this.#arrived(result))),
      (error: unknown) => cell.send(closureMessage(() => this.#fail(error))),
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
    this.#over();
    this.self.afterBuffered(() => this.self.stop("normal"));
  }

  #fail(error: unknown): never {
    this.#over();
    throw error;
  }

  #over(): void {
    const source = this.#source;
    this.#source = undefined;
    source?.over?.();
  }

  protected override terminate(): void {
    this.#close();
  }

  /** A generator that waits for its source would answer only when that does: it is told, not awaited. */
  #close(): void {
    const source = this.#source;
    this.#source = undefined;
    if (source === undefined) return;
    const { pid, signal } = cellOf(this);
    source.close(signal.reason).catch((error: unknown) => {
      if (!isAbort(error, signal)) log("warning", `the source of ${pid} failed to close`, error);
    });
  }
}

/**
 * A producer that pulls exactly what is demanded from a source: an array, a generator, a Node readable, a Web
 * `ReadableStream`, a file's lines. It is opened at start, once per incarnation; a pending step survives the coming and
 * going of consumers, and `context.signal` aborts at stop. One event is one value that the source yields, for a stream of
 * bytes one chunk. When the source ends, the stage ends with `"normal"` after its last event is taken; when it fails, the
 * stage crashes with what it threw. Without consumers nothing is pulled. However the stage ends, an iterator is returned,
 * a Node readable destroyed, a Web stream cancelled with the reason and its lock given back.
 *
 * ```ts
 * import { createReadStream } from "node:fs";
 * import { createInterface } from "node:readline";
 * import { from, start, stream } from "sluice";
 *
 * const lines = from(() => createInterface({ input: createReadStream("package.json") }), { onCancel: "stop" });
 * await using file = await start(lines);
 * for await (const line of stream(file)) {
 *   console.info(line);
 *   break;
 * }
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function from<Out>(
  open: (context: Context) => Iterable<Out> | AsyncIterable<Out> | ReadableStream<Out>,
  options: FromOptions = {},
): ProducerClass<Out> {
  checkFunction("from", open);
  checkKnown("from", options, known);
  checkOneOf("from: onCancel", options.onCancel ?? "continue", ["continue", "stop"]);
  return class From extends FromProducer<Out> {
    constructor() {
      super(open, options);
    }
  };
}

const known: ReadonlySet<string> = new Set(["onCancel"]);
