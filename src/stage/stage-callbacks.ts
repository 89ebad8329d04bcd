import type { ExitReason } from "../support/internal.ts";
import type { Context } from "../process/index.ts";
import type { From, SubscriptionTerms } from "./subscription.ts";

/** What a stage may give back: events now, events later, nothing. */
export type Emitted<Out> = readonly Out[] | void | Promise<readonly Out[] | void>;

/** How a subscription ended: someone cancelled it, or the other side is gone. */
export interface CancelCause {
  /** `"cancel"` on purpose, `"down"` when the other side ended. */
  readonly kind: "cancel" | "down";
  /** Why. */
  readonly reason: ExitReason;
}

/** The callbacks of a stage as its engine calls them. */
export interface StageCallbacks {
  handleDemand?(demand: number, context: Context): unknown;
  handleEvents?(events: readonly unknown[], from: From, context: Context): unknown;
  handleSubscribe?(role: "producer" | "consumer", terms: SubscriptionTerms, from: From): unknown;
  handleCancel?(cause: CancelCause, from: From): unknown;
  handleDiscarded?(count: number): unknown;
}
