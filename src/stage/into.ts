import { isOrderly, type ExitReason } from "../support/internal.ts";
import {
  closureMessage,
  cellOf,
  checkFunction,
  checkKnown,
  checkOneOf,
} from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { invalidReturn } from "./accepting.ts";
import { Consumer } from "./consumer.ts";
import { openOutflow, type Outflow, type WritableLike } from "./outflow.ts";
import type { ConsumerClass } from "./shorthands.ts";

/** What becomes of the stream that is written to. */
export interface IntoOptions {
  /**
   * Is it the stage's own? Then it is ended when the stage ends in order, and destroyed otherwise. False leaves it open for
   * others, as the standard output must be. Default true.
   */
  readonly end?: boolean;
}

type Open<In> = (context: Context) => WritableLike<In> | WritableStream<In>;

/** Writes what comes, one event one chunk, and handles no further batch before there is room again. */
class IntoConsumer<In> extends Consumer<In> {
  readonly #open: Open<In>;
  readonly #end: boolean;
  #outflow: Outflow | undefined = undefined;

  constructor(open: Open<In>, { end = true }: IntoOptions) {
    super();
    this.#open = open;
    this.#end = end;
  }

  protected override init(): void {
    const cell = cellOf(this);
    const opened: unknown = this.#open(this.self);
    const failed = (error: unknown): void =>
      cell.send(
        closureMessage(() => {
          throw error;
        }),
      );
    this.#outflow = openOutflow(opened, { pid: cell.pid, failed });
    if (this.#outflow === undefined)
      throw invalidReturn(cell, "into", opened, "a Node writable or a WritableStream");
    // After a kill, too.
    (cell.extras.onDead ??= new Set()).add(() => this.#letGo(cell.signal.reason));
  }

  protected override handleEvents(events: readonly In[]): void | Promise<void> {
    return this.#outflow!.write(events);
  }

  protected override async terminate(reason: ExitReason): Promise<void> {
    if (!this.#end || !isOrderly(reason)) return;
    await this.#outflow?.end();
    this.#outflow = undefined;
  }

  /** Its last word, if it has not been ended in order. */
  #letGo(why: unknown): void {
    const outflow = this.#outflow;
    this.#outflow = undefined;
    if (this.#end) outflow?.abort(why);
    else outflow?.release();
  }
}

const known: ReadonlySet<string> = new Set(["end"]);

/**
 * A consumer that writes its events to a stream, the counterpart of `from`: a Node writable (a file, a socket, a response,
 * the standard output) or a Web `WritableStream`; opened at start, once per incarnation. It stays within the room that the
 * stream has (the high-water mark of a writable, the `desiredSize` of a `WritableStream`): while there is none it handles
 * no batch and asks for nothing, so that at most `maxDemand` events are on their way to it. One event is one chunk.
 *
 * When the stage ends in order, all that it has handled is written, then the stream is ended; the stage is gone when that
 * is through, within its `shutdown` time. After a crash or a kill the stream is destroyed, or aborted with the reason. An
 * error of the stream crashes the stage with that error, once; that somebody else closed it, with `SLUICE_SINK_CLOSED`.
 *
 * ```ts
 * import { createWriteStream } from "node:fs";
 * import { child, from, into, name, startSupervisor, stop, type Producer } from "sluice";
 *
 * const lines = name<Producer<string>>("lines");
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     lines: child(from(() => ["one\n", "two\n"], { onCancel: "stop" }), { name: lines, restart: "transient" }),
 *     file: child(into(() => createWriteStream("/dev/null")), { restart: "transient", subscribeTo: [lines] }),
 *   },
 * });
 * await stop(app.children.file);
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function into<In>(
  open: (context: Context) => WritableLike<In> | WritableStream<In>,
  options: IntoOptions = {},
): ConsumerClass<In> {
  checkFunction("into", open);
  checkKnown("into", options, known);
  checkOneOf("into: end", options.end ?? true, [true, false]);
  return class Into extends IntoConsumer<In> {
    constructor() {
      super(open, options);
    }
  };
}
