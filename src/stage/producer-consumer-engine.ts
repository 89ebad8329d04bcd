import { Deque, checkInteger } from "../support/internal.ts";
import {
  Kind,
  closureMessage,
  type ClosureMessage,
  type Cell,
  type Figures,
  type Message,
  type Upstream,
} from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { eventsOf, intakeEnded, subscribeAll } from "./accepting.ts";
import { BatchInlet, type BatchHandler } from "./batch-inlet.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import type { Intake } from "./intake.ts";
import { Outlet } from "./outlet.ts";
import type { OutletOptions } from "./outlet-options.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** Known to the compiler, where what is imported is read each time. */
const kinds = StageKind;

/** An unstated buffer holds this many times the largest window. */
const windowsBuffered = 10;

/** The outlet of a stage that also accepts: full, it drops nothing, but stops the work. @throws SLUICE_INVALID_OPTION */
export function acceptingOutlet(
  cell: Cell,
  { bufferSize, ...options }: OutletOptions,
  largest: () => number,
): Outlet {
  if (bufferSize !== undefined && bufferSize !== Infinity)
    checkInteger("bufferSize", bufferSize, 1);
  const outlet = new Outlet(cell, options, Infinity);
  outlet.limit = () => bufferSize ?? windowsBuffered * largest();
  return outlet;
}

/**
 * The engine of a producer-consumer: what comes from upstream waits in its inbox until someone downstream has asked, then
 * whole messages are processed. It asks upstream only after processing, so that it stands still when downstream does.
 */
export class ProducerConsumerEngine extends EmittingEngine implements BatchHandler {
  readonly role = "producer_consumer";
  readonly inlet: BatchInlet;
  /** What its callback is given. */
  context: Context | undefined = undefined;
  /** What came from upstream, and what is to run after it, in order. */
  readonly inbox: Deque<Events | Cancel | ClosureMessage> = new Deque();
  /** The inbox is being emptied: what is handled meanwhile must not begin again, each time deeper in the stack. */
  emptying = false;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, options: OutletOptions) {
    super(
      cell,
      stage,
      acceptingOutlet(cell, options, () => this.inlet.largest),
    );
    this.inlet = new BatchInlet(cell, this);
  }

  started(): void {
    this.context = this.cell.context;
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  override receive(message: Message): void {
    switch (message.kind) {
      case kinds.events:
        // The common case goes straight through: nothing waits, and someone wants it.
        if (this.idle && this.outlet.requested > 0) return this.begin(message as Events);
        return this.enqueue(message as Events);
      case kinds.cancelled:
      case kinds.producerDown:
        return this.enqueue(message as Cancel);
      default:
        return super.receive(message);
    }
  }

  enqueue(message: Events | Cancel): void {
    this.inbox.push(message);
    this.emptyInbox();
  }

  protected override demanded(): void {
    this.emptyInbox();
  }

  override serve(): void {
    super.serve();
    // The buffer may have a place again.
    if (this.processing) this.emptyInbox();
  }

  /** Goes on as far as the demand of those downstream, the buffer and the callbacks allow. */
  emptyInbox(): void {
    if (this.emptying) return;
    this.emptying = true;
    while (!this.cell.busy && this.advance()) {
      // One thing after the other.
    }
    this.emptying = false;
  }

  /** One thing out of the inbox; false when it has to wait. */
  advance(): boolean {
    const { inbox, inlet, outlet } = this;
    if (this.processing) {
      if (this.full()) return false;
      outlet.enteredMs = inlet.enteredMs;
      inlet.resume();
      return true;
    }
    const next = inbox.at(0);
    if (next === undefined) return false;
    if (next.kind === kinds.events) {
      if (outlet.requested <= 0) return false;
      inbox.shift();
      this.begin(next as Events);
      return true;
    }
    inbox.shift();
    if (next.kind === Kind.closure) outlet.afterBuffered((next as ClosureMessage).content);
    else this.intakeEnded(next as Cancel);
    return true;
  }

  begin(message: Events): void {
    this.outlet.enteredMs = message.enteredMs;
    this.inlet.receive(message);
  }

  handle(events: readonly unknown[], from: Intake): unknown {
    return this.stage.handleEvents!(events, from, this.context!);
  }

  emitted(result: unknown): void {
    const { outlet, cell } = this;
    outlet.emit(eventsOf(cell, "handleEvents", result), outlet.nowMs);
  }

  full(): boolean {
    if (this.outlet.room > 0) return false;
    // Other messages may be handled until there is a place: they do not inherit its stamp.
    this.outlet.enteredMs = undefined;
    return true;
  }

  through(): void {
    this.outlet.enteredMs = undefined;
    if (this.inbox.length > 0) this.emptyInbox();
  }

  intakeEnded(message: Cancel): void {
    const { cell, stage, inlet, outlet } = this;
    intakeEnded(cell, stage, inlet, message, (ends, reason) => {
      // What its events have become is out before the stage ends with it.
      if (ends) outlet.afterBuffered(() => cell.stop(reason));
      this.emptyInbox();
    });
  }

  /** A message is in hand. */
  get processing(): boolean {
    return this.inlet.intake !== undefined;
  }

  get idle(): boolean {
    return this.inbox.length === 0 && !this.processing;
  }

  protected override get empty(): boolean {
    return this.idle && super.empty;
  }

  override afterBuffered(run: () => unknown): void {
    if (this.idle) super.afterBuffered(run);
    else this.inbox.push(closureMessage(run));
  }

  async drain(): Promise<void> {
    if (this.outlet.consumptions.size > 0) await this.inlet.unpaused();
    await this.taken();
  }

  putBack(kept: Iterable<Events | Cancel>): void {
    for (const message of [...kept].toReversed()) this.inbox.unshift(message);
    this.cell.send(closureMessage(() => this.emptyInbox()));
  }

  override moved(): number {
    return super.moved() + this.inlet.handled;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet, cell, inbox } = this;
    let waiting = inlet.events.length - inlet.start + inlet.kept + inlet.arrived;
    for (const message of inbox)
      if (message.kind === kinds.events) waiting += (message as Events).events.length;
    return {
      figures: {
        ...this.behind,
        waiting,
        running: cell.busy ? 1 : 0,
        done: inlet.handled,
      },
      upstream: inlet.upstream,
    };
  }
}
