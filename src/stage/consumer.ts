import { baseClass } from "../process/internal.ts";
import { Process } from "../process/index.ts";
import { ConsumerEngine } from "./consumer-engine.ts";
import { equip } from "./producer.ts";
import type { CancelCause } from "./stage-callbacks.ts";
import type { Accepting, From, SubscriptionTerms, Subscriptions } from "./subscription.ts";

/** Options of a stage that accepts. */
export interface ConsumerOptions<In> {
  /** Producers to subscribe to at start, in order; a permanent or transient one that is not there fails the start. */
  readonly subscribeTo?: Subscriptions<In>;
}

/**
 * A stage that ends a flow of events of type `In`. It asks its producers for `maxDemand` (1,000) events and, as it
 * handles them, for more, so that never more than `maxDemand` are on their way. A crash loses the batch in hand and what
 * waits in the mailbox; restarted, it subscribes anew.
 */
export abstract class Consumer<In> extends Process {
  static readonly "~optionNames": ReadonlySet<string> = new Set(["subscribeTo"]);
  /** A type only. */
  declare readonly "~accepts": Accepting<In>;
  /** A type only. */
  declare readonly "~options"?: ConsumerOptions<In>;

  constructor() {
    super();
    equip(this, {}, (cell, stage) => new ConsumerEngine(cell, stage));
  }

  /** Handles a batch of at most `maxDemand − minDemand` events. A promise holds the mailbox and the next ask. */
  protected abstract handleEvents(events: readonly In[], from: From): void | Promise<void>;
  /** A subscription was made; `"manual"` means that nothing is asked for but by `from.ask`. */
  protected handleSubscribe?(
    role: "producer" | "consumer",
    terms: SubscriptionTerms,
    from: From,
  ): "automatic" | "manual" | void;
  /** A subscription ended; then its `cancel` mode decides whether this stage ends with it. */
  protected handleCancel?(cause: CancelCause, from: From): void | Promise<void>;
}

baseClass(Consumer);
