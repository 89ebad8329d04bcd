import type { ExitReason } from "../support/internal.ts";
import type {
  DispatchTerms,
  Dispatcher,
  DispatcherContext,
  Dispatching,
  Subscriber,
  SubscriptionTerms,
} from "../stage/index.ts";
import { seededRandom } from "./seeded-random.ts";

/** What a subscriber was handed: its tag, the events, and when the oldest of them entered. */
export type Handed<T> = readonly [tag: number, events: readonly T[], enteredMs: number];

/** A subscriber of a bench. */
export interface BenchSubscriber extends Subscriber {
  /** Asked for and not delivered. */
  open: number;
}

/** A dispatcher without a stage: fed by hand, it writes down what it does. */
export class DispatcherBench<T> implements DispatcherContext<T> {
  readonly dispatching: Dispatching<T>;
  readonly subscribers: Map<number, BenchSubscriber> = new Map();
  readonly cancelled: (readonly [tag: number, reason: ExitReason])[] = [];
  readonly warnings: string[] = [];
  dropped = 0;
  #handed: Handed<T>[] = [];
  #nowMs = 0;
  readonly random: () => number;

  constructor(dispatcher: Dispatcher<T>, random: () => number = seededRandom(1)) {
    this.random = random;
    this.dispatching = dispatcher.make({
      deliver: (...delivered) => this.deliver(...delivered),
      cancel: (...ended) => this.cancel(...ended),
      drop: (count) => this.drop(count),
      warn: (message) => this.warn(message),
      random,
    });
  }

  deliver(subscriber: Subscriber, events: readonly T[], enteredMs: number = this.#nowMs): void {
    const { tag } = subscriber;
    const known = this.subscribers.get(tag);
    if (known !== subscriber) throw new Error(`delivered to ${tag}, which is not subscribed`);
    if (events.length === 0) throw new Error(`delivered nothing to ${tag}`);
    known.open -= events.length;
    if (known.open < 0)
      throw new Error(`R1: delivered ${-known.open} more to ${tag} than it asked for`);
    this.#handed.push([tag, Object.freeze(events), enteredMs]);
  }

  cancel({ tag }: Subscriber, reason: ExitReason): void {
    this.cancelled.push([tag, reason]);
  }

  drop(count: number): void {
    this.dropped += count;
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  get demand(): number {
    return this.dispatching.demand;
  }

  get queued(): number {
    return this.dispatching.queued ?? 0;
  }

  /** What was handed out since the last look. */
  handed(): readonly Handed<T>[] {
    const handed = this.#handed;
    this.#handed = [];
    return handed;
  }

  subscribe(
    tag: number,
    terms: Partial<SubscriptionTerms> & DispatchTerms<T> = {},
    consumer: object = {},
  ): BenchSubscriber {
    const told = { maxDemand: 1_000, minDemand: 500, inOrder: true, ...terms } as SubscriptionTerms;
    const subscriber = { tag, consumer, terms: told, state: undefined, open: 0 };
    this.dispatching.subscribe(subscriber);
    this.subscribers.set(tag, subscriber);
    return subscriber;
  }

  /** Ends a subscription; unless `alive`, its consumer is dead. */
  unsubscribe(tag: number, alive = false): BenchSubscriber {
    const subscriber = this.subscribers.get(tag)!;
    this.dispatching.cancel(subscriber);
    if (!alive) this.dispatching.released?.(subscriber);
    this.subscribers.delete(tag);
    return subscriber;
  }

  ask(tag: number, count: number): readonly Handed<T>[] {
    const subscriber = this.subscribers.get(tag)!;
    subscriber.open += count;
    this.dispatching.ask(subscriber, count);
    return this.handed();
  }

  /** Returns how many were taken, and who was handed what. */
  dispatch(
    events: readonly T[],
    enteredMs = 0,
  ): { readonly taken: number; readonly handed: readonly (readonly [number, readonly T[]])[] } {
    this.#nowMs = enteredMs;
    const taken = this.dispatching.dispatch(events, enteredMs);
    return { taken, handed: this.handed().map(([tag, batch]) => [tag, batch]) };
  }
}
