import { log } from "../telemetry/internal.ts";
import { isThenable, type Cell, type Message } from "../process/internal.ts";
import { Inlet } from "./inlet.ts";
import type { Intake } from "./intake.ts";
import { events as eventsMessage, type Events } from "./protocol.ts";

/** What a stage does with the batches that its inlet cuts. */
export interface BatchHandler {
  /** Handles one batch; a thenable holds the mailbox. */
  handle(events: readonly unknown[], from: Intake): unknown;
  /** Takes what `handle` gave. */
  emitted(result: unknown): void;
  /** Is there no place for what the next batch makes? Then the rest of the message waits for `resume`. */
  full(): boolean;
  /** The message in hand is through. */
  through(): void;
  /** Where what was kept by a pause waits to be handled, if not in the mailbox. */
  putBack?(kept: Iterable<Message>): void;
}

const nothing: readonly unknown[] = [];
/** Half of the window is on its way while the other half is handled. */
export const half = (maxDemand: number): number => Math.floor(maxDemand / 2);

/** An inlet that cuts what comes into batches of `maxDemand − minDemand`, and after each asks for what is due. */
export class BatchInlet extends Inlet {
  readonly handler: BatchHandler;
  handled = 0;
  /** When the oldest event of the message in hand entered the pipeline. */
  enteredMs = 0;
  /** The message in hand: whose, its events, where the part not handled yet begins, how much of that was asked for. */
  intake: Intake | undefined = undefined;
  events: readonly unknown[] = nothing;
  start = 0;
  counted = 0;

  constructor(cell: Cell, handler: BatchHandler) {
    super(cell, half);
    this.handler = handler;
  }

  /** A message of events. */
  receive(message: Events): void {
    const { tag, events, enteredMs } = message;
    const intake = this.find(tag);
    if (intake === undefined) return this.handler.through();
    if (intake.kept !== undefined) {
      intake.kept.push(message);
      return this.handler.through();
    }
    this.enteredMs = enteredMs;
    this.intake = intake;
    const isWhole = events.length <= intake.whole && this.cell.stopReason === undefined;
    if (isWhole && !this.handler.full()) return this.handleWhole(intake, events);
    this.events = events;
    this.start = 0;
    this.counted = intake.pending;
    this.resume();
  }

  /** The common case, a message that is one batch: nothing of it is kept here. */
  handleWhole(intake: Intake, events: readonly unknown[]): void {
    // The list is the handler's: it may be shorter afterwards.
    const count = events.length;
    const result = this.handler.handle(events, intake);
    if (result !== undefined && isThenable(result)) return this.hold(result, intake, count, count);
    this.finish(intake, count, count, result);
    this.done();
  }

  /** A batch takes its time. Apart, for where a closure may be made, what it would keep is allocated in any case. */
  hold(result: PromiseLike<unknown>, intake: Intake, count: number, size: number): void {
    this.cell.hold(result, (value) => {
      this.finish(intake, count, size, value);
      this.resume();
    });
  }

  done(): void {
    this.intake = undefined;
    this.handler.through();
  }

  /** Handles the message in hand from where it was left, until it is through, or there is no place, or a promise. */
  resume(): void {
    const { cell, handler, events } = this;
    const intake = this.intake!;
    const { minDemand, maxDemand } = intake.wanted;
    const limit = intake.manual ? events.length : maxDemand - minDemand;
    while (this.start < events.length) {
      // Who stops handles no further batch.
      if (cell.stopReason !== undefined || handler.full()) return;
      const { start } = this;
      if (intake.kept !== undefined) {
        intake.kept.push(eventsMessage(intake.tag, events.slice(start), this.enteredMs));
        break;
      }
      const end = Math.min(start + limit, events.length);
      const batch = start === 0 && end === events.length ? events : events.slice(start, end);
      const size = Math.min(end - start, this.counted);
      if (size < end - start) excess(cell, intake, end - start - size);
      this.counted -= size;
      this.start = end;
      const result = handler.handle(batch, intake);
      if (isThenable(result)) return this.hold(result, intake, end - start, size);
      this.finish(intake, end - start, size, result);
    }
    this.events = nothing;
    this.start = 0;
    this.done();
  }

  override putBack(kept: Iterable<Message>): void {
    if (this.handler.putBack === undefined) return super.putBack(kept);
    this.handler.putBack(kept);
    this.released();
  }

  finish(intake: Intake, count: number, size: number, result: unknown): void {
    if (result !== undefined) this.handler.emitted(result);
    this.handled += count;
    intake.renew(intake.pending - size);
  }
}

/** More came than was asked for. */
export function excess(cell: Cell, { producer }: Intake, count: number): void {
  log("error", `${cell.pid} got ${count} events in excess from ${producer.pid}`);
}
