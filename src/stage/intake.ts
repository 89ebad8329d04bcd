import { Deque, invalidOption, type ExitReason } from "../support/internal.ts";
import type { Cell, Message } from "../process/internal.ts";
import type { Ref } from "../process/index.ts";
import type { Inlet } from "./inlet.ts";
import { ask, cancel, transmit, type Ask } from "./protocol.ts";
import { demandWindow, type DemandWindow, type From, type Wanted } from "./subscription.ts";

/** A producer that was subscribed to. */
export class Intake implements From {
  readonly tag: number;
  readonly producer: Cell;
  readonly inlet: Inlet;
  wanted: Wanted;
  /** Asks are the callbacks' affair. */
  manual = false;
  /** Asked for and not handled yet. */
  pending = 0;
  /** How much of that has come, where it is handled out of turn: in work, or waiting for it. */
  running = 0;
  /** While it is paused: what came and waits, in order. */
  kept: Deque<Message> | undefined = undefined;
  /** The message of the last ask. */
  latest: Ask | undefined = undefined;
  /** Another subscription takes its place: the stage does not end with it. */
  replaced = false;
  /** Where work runs beside the mailbox: events that have come and have not ended. */
  inside = 0;
  /** Its end, which waits for these. */
  ending: Message | undefined = undefined;
  unwatch: Disposable | undefined = undefined;

  constructor(tag: number, producer: Cell, inlet: Inlet, wanted: Wanted) {
    this.tag = tag;
    this.producer = producer;
    this.inlet = inlet;
    this.wanted = wanted;
  }

  /** A message of at most so many events is one batch, all of it asked for. */
  get whole(): number {
    const { manual, pending, wanted } = this;
    return manual ? pending : Math.min(pending, wanted.maxDemand - wanted.minDemand);
  }

  get ref(): Ref<unknown> {
    return this.producer.ref as unknown as Ref<unknown>;
  }

  cancel(reason: ExitReason = "normal"): void {
    transmit(this.producer, cancel(this.tag, reason));
  }

  ask(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0)
      throw invalidOption("ask: count", count, "a whole number, 0 or more");
    // Beyond what can be counted, more is not more.
    const more = Math.min(count, Number.MAX_SAFE_INTEGER - this.pending);
    if (more === 0) return;
    this.pending += more;
    transmit(this.producer, ask(this.tag, more));
  }

  pause(): void {
    this.kept ??= new Deque();
  }

  resume(): void {
    const { kept } = this;
    if (kept === undefined) return;
    this.kept = undefined;
    if (kept.length > 0) this.inlet.putBack(kept);
    this.fill();
  }

  setDemand(window: DemandWindow): void {
    const { inlet, wanted } = this;
    this.wanted = { ...wanted, ...demandWindow(window, "setDemand", inlet.leastDefault) };
    inlet.largest = Math.max(inlet.largest, this.wanted.maxDemand);
    if (this.wanted.maxDemand > wanted.maxDemand) this.fill();
    else if (this.live) this.renew(this.pending);
  }

  /** The subscription has not ended. */
  get live(): boolean {
    return this.inlet.intakes.get(this.tag) === this;
  }

  /** Asks for what the window lacks. */
  fill(): void {
    const missing = this.wanted.maxDemand - this.pending;
    if (missing > 0 && this.live && !this.manual && this.kept === undefined) this.ask(missing);
  }

  /** Asks with the last ask's message, if that is free: what is as old as the mailbox costs nothing to link there. */
  again(count: number): void {
    let { latest } = this;
    if (latest?.isFree === true) {
      latest.isFree = false;
      latest.count = count;
    } else latest = this.latest = ask(this.tag, count);
    transmit(this.producer, latest);
  }

  /** `left` is what is still pending of the window: when that is `minDemand` or less, it is filled up again. */
  renew(left: number): void {
    const { maxDemand, minDemand } = this.wanted;
    if (this.manual || left > minDemand || this.kept !== undefined) {
      this.pending = left;
      return;
    }
    this.pending = maxDemand;
    this.again(maxDemand - left);
  }
}
