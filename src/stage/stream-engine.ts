import {
  Deque,
  SluiceError,
  describeReason,
  isOrderly,
  type ExitReason,
} from "../support/internal.ts";
import {
  State,
  type Cell,
  type Engine,
  type Figures,
  type Message,
  type Upstream,
} from "../process/internal.ts";
import { half } from "./batch-inlet.ts";
import { setDemandMode, type DemandMode } from "./demand-mode.ts";
import { Inlet } from "./inlet.ts";
import type { Intake } from "./intake.ts";
import { StageKind, events, type Cancel, type Events } from "./protocol.ts";
import type { From, Source, Wanted } from "./subscription.ts";

/** How a reading is over: there is no more, or it has failed. */
export type Outcome = "done" | { readonly error: unknown };

/** Who pulls. */
export interface Pulling {
  /** Somebody waits for an event now. */
  readonly waits: boolean;
  /** Something came, or ended. */
  arrived(): void;
  /** The consumer behind it is gone, and with it all its subscriptions. */
  exited(reason: ExitReason): void;
}

/** A subscription, and where it was given. */
export interface Reading {
  readonly subscription: Wanted;
  readonly path: string;
}

/** What is read, and how. */
export interface StreamTerms {
  readonly readings: readonly Reading[];
  /** What the producers do with demand from the moment all are subscribed to. */
  readonly demand: DemandMode;
  /** Whose demand that is, if not that of those subscribed to. */
  readonly producers: readonly Source<unknown>[] | undefined;
  readonly signal: AbortSignal | undefined;
}

const nothing: readonly unknown[] = [];

/**
 * The consumer behind a reader. What comes waits here in order, ends included, until it is pulled; the ask of a batch is
 * sent only when the batch after it is pulled. Never more than the windows of its subscriptions waits.
 */
export class StreamEngine implements Engine {
  readonly role = "consumer";
  readonly cell: Cell;
  readonly inlet: Inlet;
  readonly terms: StreamTerms;
  readonly reader: Pulling;
  readonly queue: Deque<Message & { readonly tag: number }> = new Deque();
  /** Subscribed to while nobody waited: asked at the next pull. */
  due: Intake[] | undefined = undefined;
  up = false;
  closing = false;
  over: Outcome | undefined = undefined;
  /** Events of the batches that are through. */
  read = 0;
  /** The message in hand: whose, its events, where the batch in hand begins and ends, and the next event. */
  intake: Intake | undefined = undefined;
  events: readonly unknown[] = nothing;
  start = 0;
  end = 0;
  index = 0;
  enteredMs = 0;

  constructor(cell: Cell, terms: StreamTerms, reader: Pulling) {
    this.cell = cell;
    this.inlet = new Inlet(cell, half);
    this.terms = terms;
    this.reader = reader;
  }

  started(): void {
    const { readings, demand, producers } = this.terms;
    for (const { subscription, path } of readings)
      this.inlet.subscribe(
        subscription,
        path,
        (_terms, from) => this.subscribed(from) === "manual",
      );
    if (producers !== undefined) for (const one of producers) setDemandMode(one, demand);
    else for (const intake of this.inlet.intakes.values()) this.setMode(intake);
    this.up = true;
    this.reader.arrived();
  }

  /** A reader that does not pull leaves no demand behind. */
  subscribed(from: From): "automatic" | "manual" {
    if (this.up) this.setMode(from as Intake);
    if (this.reader.waits) return "automatic";
    (this.due ??= []).push(from as Intake);
    return "manual";
  }

  setMode({ producer, ref }: Intake): void {
    if (producer.state !== State.dead)
      setDemandMode(ref as unknown as Source<unknown>, this.terms.demand);
  }

  /** Asks where nothing was asked for yet. */
  askDue(): void {
    const { due } = this;
    this.due = undefined;
    for (const intake of due ?? []) {
      intake.manual = false;
      intake.fill();
    }
  }

  receive(message: Message): void {
    const ends = message.kind === StageKind.cancelled || message.kind === StageKind.producerDown;
    if (!ends && message.kind !== StageKind.events) return;
    if (!this.closing) {
      this.queue.push(message as Events | Cancel);
      this.reader.arrived();
    } else if (ends) {
      this.inlet.remove((message as Cancel).tag);
      this.stopIfFree();
    }
  }

  /** The next event; nothing when there is none yet, or when the reading is over. */
  take(): IteratorYieldResult<unknown> | undefined {
    for (;;) {
      if (this.index < this.end) return { value: this.events[this.index++], done: false };
      if (this.intake !== undefined) this.batchRead(this.intake);
      else if (this.over !== undefined || !this.advance()) return undefined;
    }
  }

  batchRead(intake: Intake): void {
    const { start, end } = this;
    this.read += end - start;
    intake.renew(Math.max(intake.pending - (end - start), 0));
    if (end < this.events.length && intake.kept === undefined) return this.cut(intake, end);
    if (end < this.events.length)
      intake.kept?.push(events(intake.tag, this.events.slice(end), this.enteredMs));
    this.drop();
  }

  cut(intake: Intake, start: number): void {
    const { maxDemand, minDemand } = intake.wanted;
    this.start = this.index = start;
    this.end = Math.min(start + maxDemand - minDemand, this.events.length);
  }

  drop(): void {
    this.intake = undefined;
    this.events = nothing;
    this.start = this.end = this.index = 0;
  }

  /** On to the next message; false when none is here. */
  advance(): boolean {
    const message = this.queue.shift();
    if (message === undefined) {
      if (this.up && this.inlet.intakes.size === 0) this.over = "done";
      return false;
    }
    const intake = this.inlet.intakes.get(message.tag);
    const ends = message.kind !== StageKind.events;
    if (intake === undefined) return true;
    // While it is paused, what came waits, and its end behind that.
    if (intake.kept !== undefined && (!ends || intake.kept.length > 0)) intake.kept.push(message);
    else if (ends) this.ended(intake, (message as Cancel).reason);
    else {
      this.intake = intake;
      ({ events: this.events, enteredMs: this.enteredMs } = message as Events);
      this.cut(intake, 0);
    }
    return true;
  }

  ended(intake: Intake, reason: ExitReason): void {
    this.inlet.remove(intake.tag);
    this.inlet.confirmEnd(intake);
    if (!this.inlet.endsWith(intake, reason)) return;
    this.over = isOrderly(reason) ? "done" : { error: endedError(intake.producer.pid, reason) };
  }

  /** Cancels all subscriptions and stops when that is confirmed; at once, it does not wait for the confirmations. */
  close(atOnce: boolean): void {
    if (!this.closing) {
      this.closing = true;
      this.drop();
      this.forget(this.queue);
      for (const { kept } of this.inlet.intakes.values()) this.forget(kept);
      for (const intake of this.inlet.intakes.values()) intake.cancel("normal");
    }
    if (atOnce) this.cell.stop("normal");
    else this.stopIfFree();
  }

  /** What waits is not read any more; a subscription whose end is among it needs no confirmation. */
  forget(waiting: Deque<Message> | undefined): void {
    for (const message of waiting ?? [])
      if (message.kind !== StageKind.events) this.inlet.remove((message as Cancel).tag);
    waiting?.clear();
  }

  stopIfFree(): void {
    if (this.inlet.intakes.size === 0) this.cell.stop("normal");
  }

  exited(reason: ExitReason): void {
    this.reader.exited(reason);
  }

  /** Events that the reader has got. */
  get done(): number {
    return this.read + this.index - this.start;
  }

  moved(): number {
    return this.done;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet, queue } = this;
    let waiting = this.events.length - this.index + inlet.kept;
    for (const message of queue) waiting += (message as Partial<Events>).events?.length ?? 0;
    const inHand = this.index - this.start;
    return {
      figures: { asked: Math.max(inlet.asked - waiting - inHand, 0), waiting, done: this.done },
      upstream: inlet.upstream,
    };
  }
}

/** A process has ended for a reason that is no orderly one: what was thrown in it is the cause. */
export function endedError(pid: string, reason: ExitReason): SluiceError<"SLUICE_EXITED"> {
  const cause = typeof reason === "object" && "crash" in reason ? reason.crash : undefined;
  const message = `${pid} ended while it was read (${describeReason(reason)})`;
  return new SluiceError("SLUICE_EXITED", message, { reason }, { cause });
}
