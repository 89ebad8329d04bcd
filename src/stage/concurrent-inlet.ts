import { isOrderly, type ExitReason } from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import {
  closureMessage,
  type ClosureMessage,
  LazySignal,
  State,
  abortReason,
  isAbort,
  isThenable,
  settledBeside,
  type Cell,
  type Message,
} from "../process/internal.ts";
import { excess } from "./batch-inlet.ts";
import { leastFor, type Concurrency } from "./concurrency.ts";
import { Epochs } from "./epochs.ts";
import { Inlet } from "./inlet.ts";
import type { Intake } from "./intake.ts";
import { KeyedLanes } from "./keyed-lanes.ts";
import type { Arrival, Piece } from "./piece.ts";
import { StageKind, events as eventsMessage, type Cancel, type Events } from "./protocol.ts";
import { WaitingLine, type Line } from "./waiting-line.ts";

/** What a stage does with its pieces of work. */
export interface PieceHandler {
  /** Begins one; a thenable leaves the mailbox open. */
  handle(piece: Piece): unknown;
  /** It has ended, in a turn of the process; `leave` frees its place. */
  completed(piece: Piece): void;
  /** How many more events may be worked on now. */
  places(): number;
}

/** An inlet whose work runs beside the mailbox: at most so many pieces at once, over all subscriptions. */
export class ConcurrentInlet extends Inlet {
  readonly concurrency: Concurrency;
  readonly handler: PieceHandler;
  readonly line: Line;
  readonly epochs: Epochs = new Epochs();
  /** Pieces whose promise has not settled. */
  readonly open: Set<Piece> = new Set();
  /** Pieces that have settled and were not looked at. */
  settled: Piece[] = [];
  /** Places taken. */
  taken = 0;
  /** Events in these. */
  inFlight = 0;
  handled = 0;
  /** `wake` is in the mailbox. */
  woken = false;
  readonly wake: ClosureMessage = closureMessage(() => {
    this.woken = false;
    this.look();
    this.begin();
  });

  constructor(cell: Cell, concurrency: Concurrency, handler: PieceHandler) {
    super(cell, leastFor(concurrency), concurrency.places === 1);
    this.concurrency = concurrency;
    this.handler = handler;
    const { key } = concurrency;
    const setAside = (arrival: Arrival, events: readonly unknown[], counted: number): void => {
      const { intake, enteredMs, epoch } = arrival;
      intake.kept!.push(eventsMessage(intake.tag, events, enteredMs));
      intake.running -= counted;
      this.gone(intake, events.length);
      this.epochs.end(epoch, events.length);
    };
    this.line =
      key === undefined ? new WaitingLine(cell, setAside) : new KeyedLanes(cell, key, setAside);
  }

  /** A message of events. */
  receive(message: Events): void {
    const intake = this.intakes.get(message.tag);
    if (intake === undefined) return;
    // Of a paused one too: what came before may still be in line, and is set aside in order.
    const arrival = this.admit(intake, message);
    if (arrival.counted < message.events.length)
      excess(this.cell, intake, message.events.length - arrival.counted);
    this.line.push(arrival);
    this.begin();
  }

  admit(intake: Intake, { events, enteredMs }: Events): Arrival {
    const counted = Math.max(Math.min(events.length, intake.pending - intake.running), 0);
    intake.running += counted;
    intake.inside += events.length;
    const epoch = this.epochs.current;
    epoch.unfinished += events.length;
    return { intake, events, enteredMs, epoch, start: 0, counted };
  }

  /** Begins what there are places for. */
  begin(): void {
    const { cell, handler, line, concurrency } = this;
    const { places, batchSize } = concurrency;
    // Who stops begins nothing, and while a callback is in hand no other begins.
    while (this.taken < places && line.size > 0 && !cell.closed && !cell.busy) {
      const most = Math.min(batchSize, handler.places());
      const piece = most > 0 ? line.next(most) : undefined;
      if (piece === undefined) return;
      this.taken++;
      this.inFlight += piece.events.length;
      const outer = thread.running;
      thread.running = piece;
      let result: unknown;
      try {
        result = handler.handle(piece);
      } finally {
        thread.running = outer;
      }
      if (isThenable(result)) this.fly(piece, result);
      else this.end(piece, result);
    }
  }

  fly(piece: Piece, work: PromiseLike<unknown>): void {
    const { cell } = this;
    this.open.add(piece);
    cell.extras.beside++;
    const settle = (failed: boolean, value: unknown): void => {
      this.open.delete(piece);
      piece.failed = failed;
      piece.value = value;
      if (cell.state !== State.dead) this.settled.push(piece);
      settledBeside(cell);
      if (cell.state === State.running) this.rouse();
    };
    // A thenable of someone else's may throw, or settle twice: a promise does neither.
    Promise.resolve(work).then(
      (value) => settle(false, value),
      (error: unknown) => settle(true, error),
    );
  }

  /** One look at all that has settled. */
  rouse(): void {
    if (this.woken) return;
    this.woken = true;
    this.cell.send(this.wake);
  }

  /** Takes what the pieces that have settled gave; the first failure is thrown. */
  look(): void {
    const { settled } = this;
    if (settled.length === 0) return;
    this.settled = [];
    for (const [index, piece] of settled.entries()) {
      if (piece.failed && !this.aborted(piece)) {
        this.settled = settled.slice(index + 1);
        throw piece.value;
      }
      this.end(piece, piece.failed ? undefined : piece.value);
    }
  }

  /** Is its failure nothing but the stop? */
  aborted({ value, context }: Piece): boolean {
    const { closed, more } = this.cell;
    return closed && [context, more?.context].some((lazy) => isAbort(value, LazySignal.made(lazy)));
  }

  /** The process ends: what settles still counts, unless it ends by a crash. */
  finishing(): void {
    if (isOrderly(this.cell.stopReason!)) this.look();
    else this.settled = [];
  }

  /** A piece has ended: what it was asked for is asked for again. */
  end(piece: Piece, result: unknown): void {
    const { arrival, counted } = piece;
    const { intake } = arrival;
    piece.value = result;
    piece.ended = true;
    this.line.ended(piece);
    intake.running -= counted;
    if (this.cell.stopReason === undefined && intake.live) intake.renew(intake.pending - counted);
    else intake.pending -= counted;
    this.handler.completed(piece);
  }

  /** The place of a piece that has ended is free. */
  leave({ arrival, events, failed }: Piece): void {
    this.taken--;
    this.inFlight -= events.length;
    // What the stop has aborted was not handled.
    if (!failed) this.handled += events.length;
    this.gone(arrival.intake, events.length);
    this.epochs.end(arrival.epoch, events.length);
  }

  /** So many events of a subscription are not here any more; behind the last its end may wait. */
  gone(intake: Intake, count: number): void {
    intake.inside -= count;
    const { ending } = intake;
    if (intake.inside > 0 || ending === undefined) return;
    intake.ending = undefined;
    this.cell.send(ending);
  }

  /** Has the end of a subscription to wait for events that came before it? */
  defers(message: Cancel): boolean {
    const intake = this.intakes.get(message.tag);
    if (intake === undefined || intake.inside === 0) return false;
    intake.ending = message;
    return true;
  }

  override putBack(kept: Iterable<Message>): void {
    for (const message of [...kept].toReversed()) {
      if (message.kind !== StageKind.events) this.cell.send(message);
      else {
        const intake = this.intakes.get((message as Events).tag)!;
        this.line.unshift(this.admit(intake, message as Events));
      }
    }
    this.rouse();
    this.released();
  }

  /** Nothing waits, and nothing is in flight. */
  get idle(): boolean {
    return this.line.size === 0 && this.taken === 0;
  }

  /** Settles when all that has come by now has ended. */
  finished(): Promise<void> | undefined {
    return this.idle ? undefined : new Promise((resolve) => this.epochs.mark(resolve));
  }

  /** A subscription that the stage cannot be without has ended: what is here may end, unless that was a crash. */
  stopAfterwards(reason: ExitReason): void {
    if (isOrderly(reason)) this.epochs.mark(() => this.cell.stop(reason));
    else this.cell.stop(reason);
  }

  abort(reason: ExitReason): void {
    if (this.open.size === 0) return;
    const why = abortReason(reason);
    for (const { context } of this.open) LazySignal.abort(context, why);
  }
}
