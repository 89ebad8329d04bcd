import type { ExitReason } from "../support/internal.ts";
import type { DispatchTerms } from "./dispatch-terms.ts";
import type { SubscriptionTerms } from "./subscription.ts";

/** One subscription as a dispatcher sees it. */
export interface Subscriber {
  /** Tells subscriptions of one producer apart. */
  readonly tag: number;
  /** Its consumer: one object for all subscriptions of one process, good for nothing but telling them apart. */
  readonly consumer: object;
  /** Its window, and what its subscription tells the dispatcher. */
  readonly terms: SubscriptionTerms;
  /** What the dispatcher keeps with it. */
  state: unknown;
}

/** What a dispatcher can do: its only way out. All of it is only for use while one of its methods runs. */
export interface DispatcherContext<T> {
  /**
   * Hands events to a subscriber that has asked for at least as many. The array may be shared by several subscribers; it
   * is not to be changed any more. `enteredMs` is when the oldest of them entered the pipeline; unstated, that of what is
   * being dispatched.
   */
  deliver(subscriber: Subscriber, events: readonly T[], enteredMs?: number): void;
  /** Ends one subscription, by a message that leads to `cancel`; until then nothing need be kept for it. */
  cancel(subscriber: Subscriber, reason: ExitReason): void;
  /** Counts events that were taken and that somebody who wanted them will not get. */
  drop(count: number): void;
  /** Logs a warning in the name of the stage. */
  warn(message: string): void;
  /** The Runtime's chance, from 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

/**
 * Decides which subscriber gets which event: a value, with neither timers nor I/O, made anew for each stage. What it must
 * keep to is checked by `dispatcherSuite` of `sluice/testing`:
 *
 * - It never delivers more to a subscriber than that has asked for, and events in the order in which they came.
 * - What it has taken it delivers, keeps, drops and counts, or filters out on purpose; never anything twice to one.
 *
 * What must come from upstream is the stage's affair: it sees to it that as many events are on their way as `demand`
 * says, also when some were taken that used up none. What is not taken waits in the stage's buffer and is tried again
 * after the next change.
 */
export interface Dispatching<T> {
  /** How many events its subscribers wait for. */
  readonly demand: number;
  /** A subscriber with no demand yet. What it throws refuses this one subscription: the consumer is told, nobody else. */
  subscribe(subscriber: Subscriber): void;
  /** The subscriber is gone, and its demand with it. */
  cancel(subscriber: Subscriber): void;
  /** The subscriber wants `count` more. Here, too, what was kept for it may be delivered. */
  ask(subscriber: Subscriber, count: number): void;
  /**
   * Takes events from the front, as many as it can; returns how many. What it throws ends the stage. `enteredMs` is when
   * the oldest of them entered the pipeline.
   */
  dispatch(events: readonly T[], enteredMs: number): number;
  /**
   * Asks that wait in the mailbox in a row are all heard before what they ask for is looked for, until `demand` is so many
   * events: for dispatchers that divide one large batch better than several small ones. `ask` is called for each as ever,
   * and whatever stands between two of them finds the first answered. Read after each ask; unstated: one by one.
   */
  readonly gathers?: number;
  /** How many events were taken and are kept for subscribers that have not asked for them yet. Bound it. */
  readonly queued?: number;
  /** Calls `run` once, as soon as all that is queued now has gone; called only while something is. */
  afterQueued?(run: () => void): void;
  /**
   * After `cancel`, at once or later: the consumer has handled all that it was given, or is dead. For dispatchers that go
   * by who is at work on what.
   */
  released?(subscriber: Subscriber): void;
}

/**
 * A choice of dispatcher, as an option of a producer: a plain value, usable for many. Those of Sluice are made by
 * `demandDispatcher()`, `broadcastDispatcher()`, `partitionDispatcher()`, `keyedDispatcher()` and `fairDispatcher()`; your
 * own is any object of this shape.
 *
 * ```ts
 * import { Producer, consumer, start, type Dispatcher, type Subscriber } from "sluice";
 *
 * // Everything to whoever subscribed first; the others stand by.
 * const firstDispatcher: Dispatcher<unknown> = {
 *   kind: "first",
 *   make({ deliver }) {
 *     const asked = new Map<Subscriber, number>();
 *     const first = (): [Subscriber, number] | undefined => asked.entries().next().value;
 *     return {
 *       get demand() {
 *         return first()?.[1] ?? 0;
 *       },
 *       subscribe: (subscriber) => void asked.set(subscriber, 0),
 *       cancel: (subscriber) => void asked.delete(subscriber),
 *       ask: (subscriber, count) => void asked.set(subscriber, asked.get(subscriber)! + count),
 *       dispatch(events) {
 *         const [subscriber, demand] = first() ?? [undefined, 0];
 *         const count = Math.min(demand, events.length);
 *         if (subscriber === undefined || count === 0) return 0;
 *         asked.set(subscriber, demand - count);
 *         deliver(subscriber, events.slice(0, count));
 *         return count;
 *       },
 *     };
 *   },
 * };
 *
 * class Numbers extends Producer<number> {
 *   constructor() {
 *     super({ dispatcher: firstDispatcher });
 *   }
 *   push(...numbers: number[]): void {
 *     this.emit(numbers);
 *   }
 * }
 * const print = consumer((numbers: readonly number[]) => console.info(numbers));
 * await using numbers = await start(Numbers);
 * await using _print = await start(print, { subscribeTo: [numbers] });
 * await numbers.call.push(1, 2, 3);
 * ```
 */
export interface Dispatcher<T> {
  /** Its name, for people. */
  readonly kind: string;
  /** A type only. */
  readonly "~accepts"?: (event: T) => void;
  /**
   * What of a subscription it goes by, beside the window. A subscription that says something else is refused. Unstated:
   * all is accepted.
   */
  readonly options?: readonly (keyof DispatchTerms<never>)[];
  /** Makes the dispatcher of one stage. `deliver` and the rest may be taken out of the context. */
  make(context: DispatcherContext<T>): Dispatching<T>;
}
