import type { ProducerEngine } from "../stage/internal.ts";
import { closureMessage, cellOf } from "../process/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { Producer } from "../stage/index.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { Format } from "./options.ts";
import { PayloadReader, type BadLine, type Payload } from "./payload.ts";
import type { Tally } from "./tally.ts";

/** However much of a line has to be escaped, it fits into a broadcast of 1 MiB. */
const maxLineBytes = 128 * 1_024;

/** Where events come from. */
export interface InputOptions {
  /** The bytes, opened when reading starts; absent: only what is posted. */
  readonly open: ((signal: AbortSignal) => AsyncIterable<Uint8Array>) | undefined;
  readonly format: Format;
  /** Where it counts. */
  readonly tally: Tally;
  /** Reading waits until it is open, which `begin` does. */
  readonly gate: { isOpen: boolean };
  /** Told of a line that is no JSON; it is left out. */
  readonly onBadLine: (bad: BadLine) => void;
  /** Told once, when the input has ended, or failed, and the last of its events was taken. */
  readonly onEnd: (failure: unknown) => void;
}

/**
 * The producer of `sluice pipe`: reads its input when its buffer is empty and somebody asks, a chunk at a time, and takes
 * what is posted. Who writes into the pipe is held up by not being read.
 */
export class InputSource extends Producer<Payload> {
  readonly #options: InputOptions;
  readonly #splitter = new LineSplitter({ maxLineBytes });
  readonly #reader: PayloadReader;
  #iterator: AsyncIterator<Uint8Array> | undefined = undefined;
  #reading = false;
  #ended = false;

  constructor(options: InputOptions) {
    super({ bufferKeep: "first" });
    this.#options = options;
    this.#ended = options.open === undefined;
    this.#reader = new PayloadReader(options.format, (bad) => {
      options.tally.badLines++;
      options.onBadLine(bad);
      return "skip";
    });
  }

  /** Starts the reading, if it waits. */
  begin(): void {
    this.#options.gate.isOpen = true;
    this.#next();
  }

  /** Takes all of them at once, or none. */
  tryPush(payloads: readonly Payload[]): boolean {
    const taken = this.tryOffer(payloads);
    if (taken) this.#receive(payloads);
    return taken;
  }

  /** Takes them without loss; the reply waits until all are taken or buffered. */
  push(payloads: readonly Payload[]): Promise<void> {
    this.#receive(payloads);
    return this.offer(payloads);
  }

  protected override handleDemand(): void {
    this.#next();
  }

  // It reads as long as somebody asks: what those who have gone asked for is not owed.
  protected override handleCancel(): void {
    (cellOf(this).engine as ProducerEngine).forget();
  }

  #next(): void {
    const { engine } = cellOf(this);
    const { outlet, closed } = engine as ProducerEngine;
    const { gate, open } = this.#options;
    if (this.#reading || !gate.isOpen || this.#ended || closed || outlet.wanted === 0) return;
    this.#reading = true;
    this.#iterator ??= open!(this.self.signal)[Symbol.asyncIterator]();
    const cell = cellOf(this);
    // Beside the mailbox, and no task either: neither a stop nor a drain waits for a quiet input.
    const arrive = (message: () => void): void =>
      cell.send(
        closureMessage(() => {
          this.#reading = false;
          message();
        }),
      );
    this.#iterator.next().then(
      (step) => arrive(() => this.#take(step)),
      (error: unknown) => arrive(() => this.#end(error)),
    );
  }

  #take(step: IteratorResult<Uint8Array>): void {
    const lines = step.done === true ? this.#splitter.end() : this.#splitter.push(step.value);
    const payloads = this.#reader.read(lines);
    this.#options.tally.cutLines = this.#splitter.cutLines;
    this.#receive(payloads);
    // What does not fit into the buffer waits in the offer; nothing is read meanwhile.
    if (payloads.length > 0) void this.offer(payloads);
    if (step.done === true) this.#end(undefined);
    else this.#next();
  }

  #end(failure: unknown): void {
    this.#ended = true;
    this.self.afterBuffered(() => this.#options.onEnd(failure));
  }

  #receive(payloads: readonly Payload[]): void {
    this.#options.tally.receive(payloads.length, currentSystem().runtime.now());
  }

  protected override terminate(): void {
    // A source that is quiet would answer only when it says something: it is told, not awaited.
    void this.#iterator?.return?.()?.then(undefined, () => {});
  }
}
