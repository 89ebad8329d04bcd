import { keepShape, type ExitReason } from "../support/internal.ts";
import type { Cell, Message } from "../process/internal.ts";
import type { SubscriptionTerms } from "./subscription.ts";

/** The message kinds between stages; those below 16 are the process layer's. */
export const StageKind = {
  subscribe: 16,
  ask: 17,
  cancel: 18,
  events: 19,
  cancelled: 20,
  consumerDown: 21,
  producerDown: 22,
} as const;

/** To a producer: a consumer wants its events. */
export interface Subscribe extends Message {
  readonly tag: number;
  /** The address of the consumer. */
  readonly consumer: number;
  readonly options: SubscriptionTerms;
  /** The subscription whose place it takes. */
  readonly replaces: Replaced | undefined;
}
/** A subscription that ends because another takes its place. */
export interface Replaced {
  readonly tag: number;
  readonly reason: ExitReason;
}
/** To a producer: so many more events. */
export interface Ask extends Message {
  readonly tag: number;
  count: number;
  /** It was handled, so that it may be sent anew: a steady flow makes no new ones. */
  isFree: boolean;
}
/** To a producer: no more events. To a consumer (`cancelled`): there will be none. */
export interface Cancel extends Message {
  readonly tag: number;
  readonly reason: ExitReason;
}
/** To a consumer: events, none older in the pipeline than `enteredMs`. */
export interface Events extends Message {
  readonly tag: number;
  readonly events: readonly unknown[];
  readonly enteredMs: number;
}

/** Sends a message between stages. It is plain data: what it means, the receiver finds by its tag. */
export function transmit(to: Cell, message: Message): void {
  const { wire } = to.table;
  to.send(wire === undefined ? message : wire(message));
}

// A constant of its own module is known to the compiler, one that is imported or exported is read each time.
const { events: eventsKind } = StageKind;

/** The shape of all of them but events. */
class Signal implements Message {
  readonly kind: number;
  next: Message | undefined = undefined;
  readonly tag: number;
  count = 0;
  isFree = false;
  readonly reason: ExitReason | undefined;
  readonly consumer: number;
  readonly options: SubscriptionTerms | undefined;
  readonly replaces: Replaced | undefined;

  constructor(
    kind: number,
    tag: number,
    reason?: ExitReason,
    consumer = 0,
    options?: SubscriptionTerms,
    replaces?: Replaced,
  ) {
    this.kind = kind;
    this.tag = tag;
    this.reason = reason;
    this.consumer = consumer;
    this.options = options;
    this.replaces = replaces;
  }
}

export function subscribe(
  tag: number,
  consumer: number,
  options: SubscriptionTerms,
  replaces?: Replaced,
): Subscribe {
  const { subscribe: kind } = StageKind;
  return new Signal(kind, tag, undefined, consumer, options, replaces) as Subscribe;
}
export function ask(tag: number, count: number): Ask {
  const signal = new Signal(StageKind.ask, tag);
  signal.count = count;
  return signal;
}
export function cancel(tag: number, reason: ExitReason): Cancel {
  return new Signal(StageKind.cancel, tag, reason) as Cancel;
}
export function cancelled(tag: number, reason: ExitReason): Cancel {
  return new Signal(StageKind.cancelled, tag, reason) as Cancel;
}
/** The other side is gone: told by the runtime, in order with what it sent before. */
export function down(
  kind: typeof StageKind.consumerDown | typeof StageKind.producerDown,
  tag: number,
  reason: ExitReason,
): Cancel {
  return new Signal(kind, tag, reason) as Cancel;
}
export function events(tag: number, batch: readonly unknown[], enteredMs: number): Events {
  return { kind: eventsKind, next: undefined, tag, events: batch, enteredMs };
}

keepShape(ask(0, 0));
keepShape(events(0, [], 0.5));
