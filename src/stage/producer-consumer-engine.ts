import { Deque, checkInteger } from "../support/internal.ts";
import type { Cell, Engine, Figures, Message, Upstream } from "../process/internal.ts";
import { intakeEnded, subscribeAll } from "./accepting.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import { Inlet } from "./inlet.ts";
import { Outlet, type OutletOptions } from "./outlet.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** An unstated buffer holds this many times the largest window. */
const windowsBuffered = 10;

/**
 * The engine of a producer-consumer: what comes from upstream waits until someone downstream has asked, then whole
 * messages are processed. It asks upstream only after processing, so that it stands still when downstream does.
 */
export class ProducerConsumerEngine extends EmittingEngine implements Engine {
  readonly role = "producer_consumer";
  readonly inlet: Inlet;
  readonly inbox: Deque<Events | Cancel> = new Deque();
  readonly limit: number | undefined;
  processing = false;
  onIdle: (() => void) | undefined = undefined;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, { bufferSize, ...options }: OutletOptions) {
    super(cell, stage, new Outlet(cell, options, Infinity));
    if (bufferSize !== undefined && bufferSize !== Infinity)
      checkInteger("bufferSize", bufferSize, 1);
    this.limit = bufferSize;
    this.inlet = new Inlet(cell, (events, from) => stage.handleEvents!(events, from));
    this.inlet.emitted = (events) => {
      if (events !== undefined) this.outlet.emit(events as readonly unknown[], this.outlet.nowMs);
    };
    this.inlet.full = () => this.outlet.buffer.size >= this.capacity;
    this.inlet.done = () => this.through();
  }

  /** From this many buffered events on it stops processing; it never drops. */
  get capacity(): number {
    if (this.limit !== undefined) return this.limit;
    let largest = 1;
    for (const { wanted } of this.inlet.intakes.values())
      largest = Math.max(largest, wanted.maxDemand);
    return windowsBuffered * largest;
  }

  started(): void {
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  override receive(message: Message): unknown {
    switch (message.kind) {
      case StageKind.events:
        // The common case goes straight through: nothing waits, and someone wants it.
        if (this.inbox.length === 0 && !this.processing && this.outlet.requested > 0)
          return this.begin(message as Events);
        this.inbox.push(message as Events);
        return this.drainInbox();
      case StageKind.cancelled:
      case StageKind.producerDown:
        this.inbox.push(message as Cancel);
        return this.drainInbox();
      default:
        return super.receive(message);
    }
  }

  protected override demanded(): void {
    this.drainInbox();
  }

  override serve(): void {
    super.serve();
    if (this.inlet.rest !== undefined) this.drainInbox();
  }

  drainInbox(): void {
    const { inbox, inlet, cell } = this;
    while (!cell.busy) {
      if (this.processing) {
        const { rest } = inlet;
        if (rest === undefined || inlet.full!()) break;
        inlet.rest = undefined;
        rest();
        continue;
      }
      const next = inbox.at(0);
      if (next === undefined || this.outlet.requested <= 0) break;
      inbox.shift();
      if (next.kind === StageKind.events) this.begin(next as Events);
      else this.ending(next as Cancel);
    }
  }

  begin(message: Events): void {
    this.processing = true;
    this.outlet.enteredMs = message.enteredMs;
    if (this.inlet.intakes.has(message.tag)) this.inlet.receive(message);
    else this.through();
  }

  through(): void {
    this.processing = false;
    this.outlet.enteredMs = undefined;
    if (this.inbox.length > 0) this.drainInbox();
    if (this.onIdle !== undefined && this.idle) this.onIdle();
  }

  get idle(): boolean {
    return this.inbox.length === 0 && !this.processing;
  }

  ending({ kind, tag, reason }: Cancel): void {
    intakeEnded(
      this.cell,
      this.stage,
      this.inlet,
      tag,
      kind === StageKind.cancelled ? "cancel" : "down",
      reason,
    );
  }

  override moved(): number {
    return super.moved() + this.inlet.handled;
  }

  override afterBuffered(run: () => unknown): void {
    if (this.idle) super.afterBuffered(run);
    else {
      const before = this.onIdle;
      this.onIdle = () => {
        this.onIdle = undefined;
        before?.();
        super.afterBuffered(run);
      };
    }
  }

  async drain(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.afterBuffered(resolve));
    await this.whenEmpty();
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { outlet, inlet, cell, inbox } = this;
    let waiting = 0;
    for (const message of inbox)
      if (message.kind === StageKind.events) waiting += (message as Events).events.length;
    return {
      figures: {
        asked: outlet.dispatcher.demand,
        waiting,
        buffered: outlet.buffer.size,
        running: cell.busy ? 1 : 0,
        done: inlet.handled,
        dropped: outlet.dropped,
      },
      upstream: inlet.upstream,
    };
  }
}
