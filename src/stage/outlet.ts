import { Deque, SluiceError, describe } from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { discarded, log } from "../telemetry/internal.ts";
import { closureMessage, isThenable, watch, type Cell } from "../process/internal.ts";
import { Buffer } from "./buffer.ts";
import { checkTerms } from "./dispatch-terms.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
import type { HeldDemand } from "./held-demand.ts";
import { Offer } from "./offer.ts";
import { checked, type OutletOptions } from "./outlet-options.ts";
import {
  StageKind,
  cancel,
  cancelled,
  down,
  events as eventsMessage,
  transmit,
  type Subscribe,
} from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** A consumer that subscribed. */
export interface Consumption extends Subscriber {
  readonly outlet: Outlet;
  readonly consumer: Cell;
  readonly unwatch: Disposable;
}

/** Work that waits until the events before a place in the flow are out. */
interface Marker {
  readonly place: number;
  readonly run: () => unknown;
}

/** One for all stages: a function of one stage would take what is compiled for it along when it goes. */
const deliver: DispatcherContext<unknown>["deliver"] = (subscriber, batch, enteredMs) => {
  const { outlet, consumer, tag } = subscriber as Consumption;
  outlet.delivered += batch.length;
  transmit(consumer, eventsMessage(tag, batch, enteredMs ?? outlet.stampMs));
};

/** The emitting side of a stage: its subscribers, dispatcher, buffer and offers. */
export class Outlet {
  readonly cell: Cell;
  readonly choice: Dispatcher<unknown>;
  readonly dispatcher: Dispatching<unknown>;
  readonly buffer: Buffer;
  readonly maxOffers: number;
  latest: Consumption | undefined = undefined;
  readonly consumptions: Map<number, Consumption> = new Map();
  /** Subscriptions that have ended while their consumers may still be at work on what they got. */
  readonly leaving: Map<number, Consumption> = new Map();
  readonly offers: Deque<Offer> = new Deque();
  readonly markers: Deque<Marker> = new Deque();
  /** Markers that have been reached and are messages by now: nothing is handed out past them. */
  reached = 0;
  /** Is told when the last of these has run. */
  owner: { goOn(): void; unserved(): void } | undefined = undefined;
  /** With this many events in the buffer, offers wait, and a producer-consumer stops processing. */
  limit: () => number = () => this.buffer.capacity;
  /** The stamp of what is being handled: what is emitted meanwhile inherits it. */
  enteredMs: number | undefined = undefined;
  /** The stamp of what is being delivered. */
  stampMs = 0;
  /** Asked for upstream and not come yet; of consumers that have gone, too, so that nothing is asked for twice. */
  requested = 0;
  /** The demand that is kept back while nothing is handed out. */
  held: HeldDemand | undefined = undefined;
  dropped = 0;
  delivered = 0;
  /** The stage is gone, and this is what offers are told. */
  over: unknown = undefined;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, options: OutletOptions, defaultBufferSize: number) {
    const { bufferSize, bufferKeep, maxOffers, dispatcher } = checked(options, defaultBufferSize);
    this.cell = cell;
    this.maxOffers = maxOffers;
    this.choice = dispatcher;
    this.dispatcher = this.choice.make({
      deliver,
      cancel: ({ tag }, reason) => transmit(cell, cancel(tag, reason)),
      drop: (count) => this.drop(count),
      warn: (message) => log("warning", `${cell.pid}: ${message}`),
      random: () => cell.system.runtime.random(),
    });
    this.buffer = new Buffer(bufferSize, bufferKeep);
  }

  /** When what is emitted now entered the pipeline. */
  get nowMs(): number {
    if (this.enteredMs !== undefined) return this.enteredMs;
    const { queue, runtime } = this.cell.system;
    return thread.running === undefined ? runtime.now() : queue.lastLookMs;
  }

  /** Who has this tag; who asks is mostly who asked last. */
  find(tag: number): Consumption | undefined {
    const { latest } = this;
    if (latest !== undefined && latest.tag === tag) return latest;
    return (this.latest = this.consumptions.get(tag));
  }

  /** How many more events may wait. */
  get room(): number {
    return Math.max(this.limit() - this.buffer.size, 0);
  }

  /** So many events are kept for subscribers that have not asked for them yet. */
  get queued(): number {
    return this.dispatcher.queued ?? 0;
  }

  /** Nothing waits here. */
  get empty(): boolean {
    return this.buffer.size === 0 && this.offers.length === 0 && this.queued === 0;
  }

  /** So many events are wanted that are not here. What is here and not taken waits for a subscriber that is full. */
  get wanted(): number {
    return Math.max(this.dispatcher.demand - this.buffer.size, 0);
  }

  /** To waiting demand, else into the buffer, which lets go what it cannot hold. */
  emit(events: readonly unknown[], enteredMs: number): void {
    if (events.length === 0 || this.over !== undefined) return;
    const taken = this.pass(events, enteredMs);
    if (taken !== events.length) this.keep(events, taken, enteredMs);
  }

  /** Buffers the events from `start` on, as far as they fit. */
  keep(events: readonly unknown[], start: number, enteredMs: number): void {
    // Demand that is left means that the dispatcher waits for one subscriber: what others asked for is not let go.
    const spare = this.held === undefined ? this.dispatcher.demand : 0;
    const lost = this.buffer.push(events, start, enteredMs, spare);
    if (lost === 0) return;
    this.discard(lost);
    if (this.dispatcher.demand > 0) this.owner?.unserved();
  }

  /** To waiting demand, past an empty buffer; returns how many events were taken. */
  pass(events: readonly unknown[], enteredMs: number): number {
    this.requested = Math.max(this.requested - events.length, 0);
    if (this.buffer.size > 0 || this.held !== undefined || events.length === 0) return 0;
    this.stampMs = enteredMs;
    const { dispatcher } = this;
    const taken = dispatcher.dispatch(events, enteredMs);
    if (dispatcher.demand > this.requested) this.owner?.unserved();
    return taken;
  }

  drop(count: number): void {
    this.dropped += count;
    if (discarded.active) discarded.emit({ stage: this.cell.pid, count });
  }

  discard(count: number): void {
    this.drop(count);
    const stage = this.cell.pid;
    const { capacity } = this.buffer;
    const callbacks = this.cell.instance as StageCallbacks | undefined;
    const silent = callbacks?.handleDiscarded?.(count) === false;
    if (!silent)
      log("warning", `${stage} discarded ${count} events: its buffer of ${capacity} is full`);
    this.reach();
  }

  /** Events that are to be taken or buffered, none lost. */
  offer(events: readonly unknown[]): Offer {
    const offer = new Offer(this.cell, events, this.nowMs);
    if (this.over !== undefined) offer.settle(this.over);
    else if (this.offers.length > 0) this.wait(offer);
    // What is refused is refused whole: the same again must not double a part of it.
    else if (this.maxOffers === 0 && events.length > this.takeable) this.wait(offer);
    else {
      offer.start = this.pass(events, offer.enteredMs);
      this.load(offer, this.maxOffers === 0 ? Infinity : this.room);
      if (!offer.settled) this.wait(offer);
    }
    return offer;
  }

  wait(offer: Offer): void {
    if (this.offers.length < this.maxOffers) {
      offer.withdraw = () => this.withdraw(offer);
      return this.offers.push(offer);
    }
    const { pid } = this.cell;
    const message = `${this.maxOffers} offers wait at ${pid}: no room for one more`;
    offer.settle(new SluiceError("SLUICE_OFFERS_FULL", message, { pid, limit: this.maxOffers }));
  }

  /** An offer that was refused while it waited: what of it has not gone does not go. */
  withdraw(offer: Offer): void {
    for (let left = this.offers.length; left > 0; left--) {
      const next = this.offers.shift()!;
      if (next !== offer) this.offers.push(next);
    }
  }

  /** So many events are taken or buffered at once. */
  get takeable(): number {
    const { buffer, dispatcher } = this;
    const past = buffer.size === 0 && this.held === undefined;
    return this.room + (past ? dispatcher.demand : 0);
  }

  /** All of them at once, or none. */
  tryOffer(events: readonly unknown[]): boolean {
    const refuses = this.over !== undefined || this.offers.length > 0;
    if (refuses || events.length > this.takeable) return false;
    const enteredMs = this.nowMs;
    this.buffer.add(events, this.pass(events, enteredMs), events.length, enteredMs);
    return true;
  }

  /** Moves up to `count` events of an offer into the buffer. */
  load(offer: Offer, count: number): void {
    const end = Math.min(offer.start + count, offer.events.length);
    this.buffer.add(offer.events, offer.start, end, offer.enteredMs);
    offer.start = end;
    if (end === offer.events.length) offer.settle(undefined);
  }

  /** The same for the offer that has waited longest. */
  loadNext(count: number): void {
    const offer = this.offers.at(0)!;
    this.load(offer, count);
    if (offer.settled) this.offers.shift();
  }

  /** Can asks that follow be heard before this one is answered? What is kept back is kept ask by ask. */
  get gathers(): boolean {
    const { demand, gathers } = this.dispatcher;
    return gathers !== undefined && demand < gathers && this.held === undefined;
  }

  /** Nothing waits here, and nothing is kept back. */
  get calm(): boolean {
    return (
      this.buffer.size === 0 &&
      this.held === undefined &&
      this.reached === 0 &&
      this.offers.length === 0 &&
      this.markers.length === 0
    );
  }

  /** Serves what is asked for from what waits; returns what must come from upstream and was not requested before. */
  serve(): number {
    return this.calm ? this.request() : this.serveWaiting();
  }

  serveWaiting(): number {
    const { buffer, dispatcher, held } = this;
    if (held === undefined) this.handOut(false);
    this.loadOffers();
    if (this.reached > 0) return 0;
    if (held !== undefined) {
      held.note(dispatcher.demand - this.requested - buffer.size);
      return 0;
    }
    return this.request();
  }

  /** Requests what is missing from upstream, `most` events at most, and returns how many that are. */
  request(most?: number): number {
    if (this.offers.length > 0) return 0;
    // What the dispatcher has left here is there for those who ask, as soon as it can go on.
    let missing = this.dispatcher.demand - this.requested - this.buffer.size;
    if (missing <= 0) return 0;
    if (most !== undefined && most < missing) missing = most;
    this.requested += missing;
    return missing;
  }

  /** Hands out what waits, as far as it is asked for; `apart`: each batch as it came, not joined with the next. */
  handOut(apart: boolean): void {
    const { buffer, dispatcher, markers } = this;
    while (dispatcher.demand > 0 && this.reached === 0) {
      if (buffer.size === 0) {
        if (this.offers.length === 0) break;
        this.loadNext(dispatcher.demand);
        continue;
      }
      let count = apart ? Math.min(dispatcher.demand, buffer.firstSize) : dispatcher.demand;
      if (markers.length > 0) count = Math.min(count, markers.at(0)!.place - buffer.passed);
      const { events, enteredMs } = buffer.take(count)!;
      this.stampMs = enteredMs;
      const taken = dispatcher.dispatch(events, enteredMs);
      if (taken < events.length) {
        buffer.putBack(events, taken, enteredMs);
        break;
      }
      if (markers.length > 0) this.reach();
    }
  }

  /** The places that are free again go to offers. */
  loadOffers(): void {
    while (this.offers.length > 0 && this.room > 0) this.loadNext(this.room);
    if (this.markers.length > 0) this.reach();
  }

  /** Lets the markers run that have been reached. */
  reach(): void {
    const { markers, buffer, dispatcher } = this;
    while (markers.length > 0 && markers.at(0)!.place <= buffer.passed) {
      const { run } = markers.shift()!;
      // Events that the dispatcher keeps for one subscriber hold up this marker, not what comes after it.
      if (this.queued === 0 || dispatcher.afterQueued === undefined) this.sendMarker(run);
      else dispatcher.afterQueued(() => this.sendMarker(run));
    }
  }

  sendMarker(run: () => unknown): void {
    this.reached++;
    this.cell.send(closureMessage(() => this.runMarker(run)));
  }

  runMarker(run: () => unknown): unknown {
    const then = (): void => {
      this.reached--;
      if (this.reached === 0) this.owner?.goOn();
    };
    const result = run();
    if (isThenable(result) && !(result instanceof Offer)) {
      this.cell.hold(result, then);
      return undefined;
    }
    then();
    return result;
  }

  /** Runs `run` as a message when everything that waits now is out. */
  afterBuffered(run: () => unknown): void {
    const last = this.offers.at(this.offers.length - 1);
    if (last === undefined) this.mark(run);
    else last["~settled"](() => this.mark(run));
  }

  mark(run: () => unknown): void {
    const { buffer } = this;
    this.markers.push({ place: buffer.passed + buffer.size, run });
    if (buffer.size === 0) this.reach();
  }

  /** A consumer subscribes; nothing happens when it is gone by now, and to nobody else when it is refused. */
  subscribe({ tag, consumer: address, options: terms }: Subscribe): Consumption | undefined {
    const { cell, dispatcher } = this;
    const consumer = cell.table.addressed.get(address);
    if (consumer === undefined) return undefined;
    const unwatch = watch(cell, consumer, (reason) => down(StageKind.consumerDown, tag, reason));
    const consumption = { tag, terms, state: undefined, outlet: this, consumer, unwatch };
    try {
      checkTerms(this.choice, terms, cell.pid);
      dispatcher.subscribe(consumption);
    } catch (error) {
      unwatch[Symbol.dispose]();
      log("warning", `${cell.pid} refuses to serve ${consumer.pid}: ${describe(error)}`, error);
      transmit(consumer, cancelled(tag, { crash: error }));
      return undefined;
    }
    this.consumptions.set(tag, consumption);
    return consumption;
  }

  /** A subscription ends; its demand goes with it. Is its consumer alive, it may be at work on what it got. */
  unsubscribe(tag: number, alive: boolean): Consumption | undefined {
    const consumption = this.consumptions.get(tag);
    if (consumption === undefined) return undefined;
    this.consumptions.delete(tag);
    this.latest = undefined;
    this.dispatcher.cancel(consumption);
    this.leaving.set(tag, consumption);
    if (!alive || this.dispatcher.released === undefined) this.release(tag);
    return consumption;
  }

  /** The consumer of a subscription that has ended is through with it; true if that was not known. */
  release(tag: number): boolean {
    const consumption = this.leaving.get(tag);
    if (consumption === undefined) return false;
    this.leaving.delete(tag);
    consumption.unwatch[Symbol.dispose]();
    this.dispatcher.released?.(consumption);
    return true;
  }

  /** The stage is gone: nobody will take what waits. */
  close(error: unknown): void {
    this.over = error;
    for (const offer of this.offers) offer.settle(error);
    this.offers.clear();
  }
}
