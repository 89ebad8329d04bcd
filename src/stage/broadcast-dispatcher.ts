import { SluiceError, type ExitReason } from "../support/internal.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
import { Lane, afterAll, type Backlog } from "./lane.ts";
import { Latest } from "./latest.ts";

const defaultMaxLag = 1_000;

/** A subscriber's place in a broadcast. */
class Listener {
  readonly subscriber: Subscriber;
  readonly selector: ((event: never) => boolean) | undefined;
  /** The others wait for it when so many events wait for it; `Infinity`: never. */
  readonly maxLag: number;
  /** When more wait for it, its subscription ends. */
  readonly limit: number;
  /** What it has not asked for yet; none where others wait for it at once. */
  readonly backlog: Backlog | undefined;
  demand = 0;

  constructor(subscriber: Subscriber) {
    const { selector, slow = "wait", maxLag } = subscriber.terms;
    const most = maxLag ?? (slow === "wait" ? 0 : defaultMaxLag);
    this.subscriber = subscriber;
    this.selector = selector;
    this.maxLag = slow === "wait" ? most : Infinity;
    this.limit = slow === "disconnect" ? most : Infinity;
    if (typeof slow === "object") this.backlog = new Latest(slow.latest as () => unknown, most);
    else if (this.maxLag > 0) this.backlog = new Lane(slow === "dropOldest" ? most : Infinity);
  }

  get lag(): number {
    return this.backlog?.size ?? 0;
  }

  /** So many events it can be given before the others have to wait. */
  get room(): number {
    return this.demand + this.maxLag - this.lag;
  }
}

/** Every event to every subscriber, at the pace of the slowest that is waited for (GenStage's BroadcastDispatcher). */
class BroadcastDispatching<T> implements Dispatching<T> {
  readonly context: DispatcherContext<T>;
  readonly listeners: Set<Listener> = new Set();
  readonly consumers: Set<object> = new Set();
  /** The least room of a listener, and how many have no more: an ask need not look at all. */
  least = 0;
  atLeast = 0;
  /** The highest demand of a listener. */
  most = 0;

  constructor(context: DispatcherContext<T>) {
    this.context = context;
  }

  /** Nobody asks for more than one of them wants, and than all that are waited for have room for. */
  get demand(): number {
    return this.least < this.most ? this.least : this.most;
  }

  get queued(): number {
    let queued = 0;
    for (const { lag } of this.listeners) queued += lag;
    return queued;
  }

  subscribe(subscriber: Subscriber): void {
    const { consumer } = subscriber;
    if (this.consumers.has(consumer))
      throw new SluiceError(
        "SLUICE_ALREADY_SUBSCRIBED",
        "a consumer that has subscribed to a broadcast gets everything already",
        { dispatcher: "broadcast" },
      );
    const listener = new Listener(subscriber);
    this.consumers.add(consumer);
    this.listeners.add(listener);
    subscriber.state = listener;
    this.survey();
  }

  cancel(subscriber: Subscriber): void {
    const listener = subscriber.state as Listener;
    if (!this.listeners.delete(listener)) return;
    this.consumers.delete(subscriber.consumer);
    const lost = listener.backlog?.clear() ?? 0;
    if (lost > 0) this.context.drop(lost);
    this.survey();
  }

  ask(subscriber: Subscriber, count: number): void {
    const listener = subscriber.state as Listener;
    if (!this.listeners.has(listener)) return;
    const wasLeast = listener.room === this.least;
    const kept = listener.backlog?.take(count);
    const size = kept?.events.length ?? 0;
    listener.demand += count - size;
    if (listener.demand > this.most) this.most = listener.demand;
    if (wasLeast && --this.atLeast === 0) this.survey();
    if (kept !== undefined)
      this.context.deliver(subscriber, kept.events as readonly T[], kept.enteredMs);
  }

  dispatch(events: readonly T[], enteredMs: number): number {
    const count = events.length;
    let start = 0;
    // Goes round when selectors have left room.
    while (start < count) {
      const size = Math.min(this.least, count - start);
      if (size === 0) break;
      const batch = size === count ? events : events.slice(start, start + size);
      for (const listener of this.listeners) this.give(listener, batch, enteredMs);
      start += size;
      this.survey();
    }
    return start;
  }

  give(listener: Listener, batch: readonly T[], enteredMs: number): void {
    const { subscriber, selector, backlog, demand } = listener;
    try {
      const events = selector === undefined ? batch : selected(batch, selector);
      const size = Math.min(demand, events.length);
      listener.demand = demand - size;
      if (size > 0)
        this.context.deliver(subscriber, size === events.length ? events : events.slice(0, size));
      if (size === events.length) return;
      const lost = backlog!.hold(events, size, enteredMs);
      if (lost > 0) this.context.drop(lost);
    } catch (error) {
      // A mistake in a selector or a key is that of one subscription.
      return this.end(listener, { crash: error });
    }
    if (listener.lag > listener.limit) this.end(listener, { crash: tooSlow(listener.limit) });
  }

  end(listener: Listener, reason: ExitReason): void {
    const { subscriber } = listener;
    this.cancel(subscriber);
    this.context.cancel(subscriber, reason);
  }

  /** Looks at all. */
  survey(): void {
    let least = this.listeners.size === 0 ? 0 : Infinity;
    let atLeast = 0;
    let most = 0;
    for (const { room, demand } of this.listeners) {
      if (room < least) {
        least = room;
        atLeast = 1;
      } else if (room === least) atLeast++;
      if (demand > most) most = demand;
    }
    this.least = least;
    this.atLeast = atLeast;
    this.most = most;
  }

  afterQueued(run: () => void): void {
    const backlogs = [...this.listeners].flatMap(({ backlog }) => backlog ?? []);
    afterAll(backlogs, run);
  }
}

/** The events that a selector wants; the same list if that is all. */
function selected<T>(batch: readonly T[], selector: (event: never) => boolean): readonly T[] {
  const wanted = batch.filter(selector as (event: T) => boolean);
  return wanted.length === batch.length ? batch : wanted;
}

function tooSlow(maxLag: number): SluiceError<"SLUICE_TOO_SLOW"> {
  const message = `more than ${maxLag} events wait for a consumer that is to keep up`;
  return new SluiceError("SLUICE_TOO_SLOW", message, { maxLag });
}

/**
 * Every event to every consumer, in the same order, at the pace of the slowest: what one has not asked for, nobody is
 * given. A subscription says what it wants (`selector`) and what happens when its consumer is slow (`slow`, `maxLag`):
 *
 * - `slow: "wait"`, the default: the others wait for it, with a `maxLag` only when that many events wait for it.
 * - `slow: "dropOldest"`: the newest `maxLag` events wait for it, older ones are dropped and counted.
 * - `slow: { latest: (event) => key }`: the newest event of each key waits for it, at its place among the others.
 * - `slow: "disconnect"`: when more than `maxLag` events wait for it, its subscription ends with `SLUICE_TOO_SLOW`.
 *
 * For the last three nobody waits; where there are only such, the pace is that of the fastest. The consumers of one batch
 * share its array, which is not to be changed. Who subscribes later misses what went before; who subscribes twice is
 * refused the second (`SLUICE_ALREADY_SUBSCRIBED`). A selector that throws ends its own subscription.
 *
 * ```ts
 * import { Producer, broadcastDispatcher, consumer, name, startSupervisor, child } from "sluice";
 *
 * interface Price {
 *   readonly share: string;
 *   readonly cents: number;
 * }
 * class Prices extends Producer<Price> {
 *   push(...prices: Price[]): Promise<void> {
 *     return this.offer(prices);
 *   }
 * }
 * const prices = name<Prices>("prices");
 * const archive = consumer((all: readonly Price[]) => console.info("archive", all.length));
 * const page = consumer((news: readonly Price[]) => console.info("page", news.length));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     prices: child(Prices, { name: prices, dispatcher: broadcastDispatcher() }),
 *     archive: child(archive, { subscribeTo: [prices] }),
 *     page: child(page, {
 *       subscribeTo: [{ to: prices, maxDemand: 1, slow: { latest: ({ share }: Price) => share } }],
 *     }),
 *   },
 * });
 * await app.children.prices.call.push({ share: "A", cents: 5 }, { share: "A", cents: 7 });
 * ```
 */
export function broadcastDispatcher(): Dispatcher<unknown> {
  return {
    kind: "broadcast",
    options: ["selector", "slow", "maxLag"],
    make: (context) => new BroadcastDispatching(context),
  };
}
