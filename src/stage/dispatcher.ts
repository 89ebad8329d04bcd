/** One subscription as a dispatcher sees it. */
export interface Subscriber {
  /** Tells subscriptions of one producer apart. */
  readonly tag: number;
  /** What the dispatcher keeps with it. */
  state: unknown;
}

/** Hands a batch to a subscriber; the array is no longer the dispatcher's. */
export type Deliver<T> = (subscriber: Subscriber, events: readonly T[]) => void;

/**
 * Decides which subscriber gets which event: a pure value, with neither timers nor I/O. It never delivers more to a
 * subscriber than that has asked for. What must come from upstream is the stage's affair: it looks at `demand`.
 */
export interface Dispatching<T> {
  /** How many events could be delivered now. */
  readonly demand: number;
  /** A subscriber with no demand yet. */
  subscribe(subscriber: Subscriber): void;
  /** The subscriber is gone, and its demand with it. */
  cancel(subscriber: Subscriber): void;
  /** The subscriber wants `count` more. */
  ask(subscriber: Subscriber, count: number): void;
  /** Delivers from the front what can be delivered; returns how many events were taken. */
  dispatch(events: readonly T[], deliver: Deliver<T>): number;
}

/** A choice of dispatcher, as an option of a producer: a plain value, usable for many. */
export interface Dispatcher<T> {
  /** Its name, for people. */
  readonly kind: string;
  /** A type only. */
  readonly "~accepts"?: (event: T) => void;
  /** The runtime's own: makes the dispatcher of one producer. */
  "~make"(): Dispatching<unknown>;
}
