import {
  Deque,
  SluiceError,
  checkInteger,
  invalidOption,
  type ExitReason,
} from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { discarded, log } from "../telemetry/internal.ts";
import { ClosureMessage, State, watch, type Cell } from "../process/internal.ts";
import { Buffer } from "./buffer.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import type { Dispatcher, Dispatching, Subscriber } from "./dispatcher.ts";
import { Offer } from "./offer.ts";
import {
  StageKind,
  cancelled,
  down,
  events as eventsMessage,
  transmit,
  type Subscribe,
} from "./protocol.ts";

/** Options of whatever emits. */
export interface OutletOptions {
  readonly bufferSize?: number;
  readonly bufferKeep?: "last" | "first";
  readonly maxOffers?: number;
  readonly dispatcher?: Dispatcher<never>;
}

/** A consumer that subscribed. */
export interface Consumption extends Subscriber {
  readonly consumer: Cell;
  readonly unwatch: Disposable;
}

const defaultMaxOffers = 1_000;

/** The emitting side of a stage: subscribers, dispatcher, buffer and offers. */
export class Outlet {
  readonly cell: Cell;
  readonly dispatcher: Dispatching<unknown>;
  readonly buffer: Buffer;
  readonly maxOffers: number;
  readonly consumptions: Map<number, Consumption> = new Map();
  readonly offers: Deque<Offer> = new Deque();
  /** The stamp of what is being handled: what is emitted meanwhile inherits it. */
  enteredMs: number | undefined = undefined;
  stampMs = 0;
  /** Asked for upstream and not come yet. */
  requested = 0;
  dropped = 0;
  delivered = 0;
  /** Closures that wait until everything buffered before them is out. */
  readonly markers: Deque<{ readonly after: number; readonly run: () => unknown }> = new Deque();
  /** Events that ever left the buffer or passed it. */
  gone = 0;
  /** Told when the buffer and the offers are empty. */
  onEmpty: (() => void) | undefined = undefined;

  readonly deliver: (subscriber: Subscriber, batch: readonly unknown[]) => void = (
    subscriber,
    batch,
  ) => {
    this.delivered += batch.length;
    transmit(
      (subscriber as Consumption).consumer,
      eventsMessage(subscriber.tag, batch, this.stampMs),
    );
  };

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, options: OutletOptions, defaultBufferSize: number) {
    const {
      bufferSize = defaultBufferSize,
      bufferKeep = "last",
      maxOffers = defaultMaxOffers,
      dispatcher = demandDispatcher(),
    } = options;
    if (bufferSize !== Infinity) checkInteger("bufferSize", bufferSize, 0);
    checkInteger("maxOffers", maxOffers, 0);
    if (bufferKeep !== "last" && bufferKeep !== "first")
      throw invalidOption("bufferKeep", bufferKeep, '"last" or "first"');
    if (typeof dispatcher?.["~make"] !== "function")
      throw invalidOption("dispatcher", dispatcher, "what demandDispatcher() or the like returns");
    this.cell = cell;
    this.maxOffers = maxOffers;
    this.dispatcher = dispatcher["~make"]() as Dispatching<unknown>;
    this.buffer = new Buffer(bufferSize, bufferKeep);
  }

  /** When what is emitted now entered the pipeline. */
  get nowMs(): number {
    if (this.enteredMs !== undefined) return this.enteredMs;
    const { queue, runtime } = this.cell.system;
    return thread.running === undefined ? runtime.now() : queue.lastLookMs;
  }

  /** To waiting demand, else into the buffer, which lets go what it cannot hold. Returns how many were delivered. */
  emit(events: readonly unknown[], enteredMs: number): number {
    const count = events.length;
    if (count === 0 || this.cell.state === State.dead) return 0;
    this.stampMs = enteredMs;
    this.requested = Math.max(this.requested - count, 0);
    const taken = this.buffer.size === 0 ? this.dispatcher.dispatch(events, this.deliver) : 0;
    this.gone += taken;
    if (taken === count) return taken;
    const lost = this.buffer.push(events, taken, enteredMs);
    if (lost > 0) this.discard(lost);
    return taken;
  }

  discard(count: number): void {
    this.dropped += count;
    this.gone += count;
    const stage = this.cell.pid;
    if (discarded.active) discarded.emit({ stage, count });
    log(
      "warning",
      `${stage} discarded ${count} events: its buffer of ${this.buffer.capacity} is full`,
      undefined,
    );
    this.mark();
  }

  /** Events that are to be taken or buffered, none lost. */
  offer(events: readonly unknown[]): Offer {
    const { cell, buffer, offers } = this;
    const offer = new Offer(cell, events, this.nowMs);
    if (offers.length > 0) return this.wait(offer);
    this.stampMs = offer.enteredMs;
    this.requested = Math.max(this.requested - events.length, 0);
    if (buffer.size === 0)
      this.gone += offer.start = this.dispatcher.dispatch(events, this.deliver);
    this.load(offer, buffer.room);
    return offer.settled ? offer : this.wait(offer);
  }

  wait(offer: Offer): Offer {
    if (this.offers.length >= this.maxOffers) {
      const { pid } = this.cell;
      offer.settle(
        new SluiceError(
          "SLUICE_OFFERS_FULL",
          `${this.maxOffers} offers wait at ${pid}: no room for one more`,
          { pid, limit: this.maxOffers },
        ),
      );
    } else this.offers.push(offer);
    return offer;
  }

  /** All of them at once, or none. */
  tryOffer(events: readonly unknown[]): boolean {
    if (this.offers.length > 0 || events.length > this.buffer.room) return false;
    this.emit(events, this.nowMs);
    return true;
  }

  /** Moves up to `count` events of an offer into the buffer. */
  load(offer: Offer, count: number): void {
    const end = Math.min(offer.start + count, offer.events.length);
    this.buffer.add(offer.events, offer.start, end, offer.enteredMs);
    offer.start = end;
    if (end === offer.events.length) offer.settle(undefined);
  }

  /**
   * Serves what is asked for from what waits; returns what must come from upstream beyond what was already requested.
   * Demand of consumers that have gone stays requested, so that nothing is asked for twice (GenStage's orphan demand).
   */
  serve(): number {
    const { buffer, offers, dispatcher } = this;
    while (dispatcher.demand > 0) {
      if (buffer.size === 0) {
        const offer = offers.at(0);
        if (offer === undefined) break;
        this.load(offer, dispatcher.demand);
        if (offer.settled) offers.shift();
        continue;
      }
      const { events, enteredMs } = buffer.take(dispatcher.demand)!;
      this.stampMs = enteredMs;
      const taken = dispatcher.dispatch(events, this.deliver);
      this.gone += taken;
      if (taken === events.length) continue;
      buffer.putBack(events, taken, enteredMs);
      break;
    }
    while (offers.length > 0 && buffer.room > 0) {
      const offer = offers.at(0)!;
      this.load(offer, buffer.room);
      if (offer.settled) offers.shift();
    }
    this.mark();
    const missing = Math.max(dispatcher.demand - this.requested, 0);
    this.requested += missing;
    return missing;
  }

  /** Everything that waits, waits no more. */
  get empty(): boolean {
    return this.buffer.size === 0 && this.offers.length === 0;
  }

  mark(): void {
    while (this.markers.length > 0 && this.markers.at(0)!.after <= this.gone)
      this.cell.send(new ClosureMessage(this.markers.shift()!.run));
    if (this.onEmpty !== undefined && this.empty) this.onEmpty();
  }

  /** Runs `run` as a message when everything that waits now is out. */
  afterBuffered(run: () => unknown): void {
    if (this.empty) this.cell.send(new ClosureMessage(run));
    else this.markers.push({ after: this.gone + this.buffer.size, run });
  }

  /** A consumer subscribes; nothing happens when it is gone by now. */
  subscribe({ tag, consumer: address }: Subscribe): Consumption | undefined {
    const consumer = this.cell.table.addressed.get(address);
    if (consumer === undefined) return undefined;
    const unwatch = watch(this.cell, consumer, (reason) =>
      down(StageKind.consumerDown, tag, reason),
    );
    const consumption: Consumption = { tag, state: undefined, consumer, unwatch };
    this.consumptions.set(tag, consumption);
    this.dispatcher.subscribe(consumption);
    return consumption;
  }

  /** A subscription ends. */
  unsubscribe(tag: number): Consumption | undefined {
    const consumption = this.consumptions.get(tag);
    if (consumption === undefined) return undefined;
    consumption.unwatch[Symbol.dispose]();
    this.consumptions.delete(tag);
    this.dispatcher.cancel(consumption);
    return consumption;
  }

  /** Tells a consumer that its subscription has ended. */
  tell(consumption: Consumption, reason: ExitReason): void {
    transmit(consumption.consumer, cancelled(consumption.tag, reason));
  }

  /** The stage is gone: nobody will take what waits. */
  close(error: unknown): void {
    for (const offer of this.offers) offer.settle(error);
    this.offers.clear();
  }
}
