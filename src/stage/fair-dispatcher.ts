import { Deque } from "../support/internal.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";

/** A subscriber's share. */
class Share {
  readonly subscriber: Subscriber;
  readonly weight: number;
  demand = 0;
  /** How many events it may still be given before it is the next one's turn. */
  credit = 0;

  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber;
    this.weight = subscriber.terms.weight ?? 1;
  }
}

/** Turns among those who wait, as long as their weights say: round robin by deficit. */
class FairDispatching<T> implements Dispatching<T> {
  readonly context: DispatcherContext<T>;
  /** Those with demand; it is the first one's turn. */
  readonly turns: Deque<Share> = new Deque();
  demand = 0;

  constructor(context: DispatcherContext<T>) {
    this.context = context;
  }

  subscribe(subscriber: Subscriber): void {
    subscriber.state = new Share(subscriber);
  }

  cancel(subscriber: Subscriber): void {
    const share = subscriber.state as Share;
    this.demand -= share.demand;
    share.demand = 0;
    for (let left = this.turns.length; left > 0; left--) {
      const next = this.turns.shift()!;
      if (next !== share) this.turns.push(next);
    }
  }

  ask(subscriber: Subscriber, count: number): void {
    const share = subscriber.state as Share;
    if (share.demand === 0) this.turns.push(share);
    share.demand += count;
    this.demand += count;
  }

  dispatch(events: readonly T[]): number {
    const { turns } = this;
    const count = Math.min(events.length, this.demand);
    const scale = count === 0 ? 0 : this.scale(count);
    let start = 0;
    while (start < count) {
      const share = turns.at(0)!;
      if (share.credit < 1) share.credit += share.weight * scale;
      const size = Math.min(Math.floor(share.credit), share.demand, count - start);
      share.credit -= size;
      share.demand -= size;
      // Who wants nothing saves nothing up.
      if (share.demand === 0) share.credit = 0;
      if (share.credit < 1) turns.shift();
      if (share.credit < 1 && share.demand > 0) turns.push(share);
      if (size === 0) continue;
      const whole = size === events.length;
      this.context.deliver(share.subscriber, whole ? events : events.slice(start, start + size));
      start += size;
    }
    this.demand -= count;
    return count;
  }

  /** The length of a turn of weight 1: one round takes the batch, and in each round somebody gets something. */
  scale(count: number): number {
    let sum = 0;
    let most = 0;
    for (const { weight } of this.turns) {
      sum += weight;
      if (weight > most) most = weight;
    }
    return Math.max(count / sum, 1 / most);
  }
}

/**
 * Each event to one consumer, in turns: as long as several wait, each gets its share, by the `weight` of its subscription
 * (default 1), whatever the sizes of their windows. Who has not asked is passed over, and saves nothing up for later. The
 * shares are exact to the length of a turn, which is a batch divided by the weights.
 *
 * ```ts
 * import { child, consumer, fairDispatcher, from, name, startSupervisor, type Producer } from "sluice";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const print = consumer((some: readonly number[]) => console.info(some.length));
 * const app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     numbers: child(from(() => Array(100).keys()), {
 *       name: numbers,
 *       restart: "transient",
 *       dispatcher: fairDispatcher(),
 *     }),
 *     small: child(print, { restart: "transient", subscribeTo: [{ to: numbers, maxDemand: 10 }] }),
 *     large: child(print, { restart: "transient", subscribeTo: [{ to: numbers, maxDemand: 30, weight: 3 }] }),
 *   },
 * });
 * await app.stop();
 * ```
 */
export function fairDispatcher(): Dispatcher<unknown> {
  return { kind: "fair", options: ["weight"], make: (context) => new FairDispatching(context) };
}
