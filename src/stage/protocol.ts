import type { ExitReason } from "../support/internal.ts";
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

export function subscribe(
  tag: number,
  consumer: number,
  options: SubscriptionTerms,
  replaces?: Replaced,
): Subscribe {
  return { kind: StageKind.subscribe, next: undefined, tag, consumer, options, replaces };
}
export function ask(tag: number, count: number): Ask {
  return { kind: StageKind.ask, next: undefined, tag, count, isFree: false };
}
export function cancel(tag: number, reason: ExitReason): Cancel {
  return { kind: StageKind.cancel, next: undefined, tag, reason };
}
export function cancelled(tag: number, reason: ExitReason): Cancel {
  return { kind: StageKind.cancelled, next: undefined, tag, reason };
}
export function events(tag: number, batch: readonly unknown[], enteredMs: number): Events {
  return { kind: StageKind.events, next: undefined, tag, events: batch, enteredMs };
}
/** The other side is gone: told by the runtime, in order with what it sent before. */
export function down(
  kind: typeof StageKind.consumerDown | typeof StageKind.producerDown,
  tag: number,
  reason: ExitReason,
): Cancel {
  return { kind, next: undefined, tag, reason };
}
