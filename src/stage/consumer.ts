import { baseClass } from "../process/internal.ts";
import { Process, type Context } from "../process/index.ts";
import { concurrencyOf, concurrencyOptionNames, type ConcurrencyOptions } from "./concurrency.ts";
import { ConcurrentConsumerEngine } from "./concurrent-consumer-engine.ts";
import { ConsumerEngine } from "./consumer-engine.ts";
import { equip } from "./producer.ts";
import type { CancelCause } from "./stage-callbacks.ts";
import type { Accepting, From, SubscriptionTerms, Subscriptions } from "./subscription.ts";

/** Options of a stage that accepts. */
export interface AcceptingOptions<In> extends ConcurrencyOptions<In> {
  /** Producers to subscribe to at start, in order; a permanent or transient one that is not there fails the start. */
  readonly subscribeTo?: Subscriptions<In>;
}

/** Options of a consumer; those of concurrency also in its constructor, as the class's own defaults. */
export interface ConsumerOptions<In> extends AcceptingOptions<In> {
  /**
   * With `concurrency`: `"unordered"` (default) begins events in the order in which they came, whatever is still in
   * flight; `"keyed"` does so for events of different keys.
   */
  readonly order?: "unordered" | "keyed";
}

/** The names of the options of a stage that accepts. */
export const acceptingOptionNames: readonly string[] = ["subscribeTo", ...concurrencyOptionNames];

/**
 * A stage that ends a flow of events of type `In`. It asks its producers for `maxDemand` (1,000) events and, as it
 * handles them, for more, so that never more than `maxDemand` are on their way. A crash loses the batch in hand and what
 * waits in the mailbox; restarted, it subscribes anew.
 */
export abstract class Consumer<In> extends Process {
  static readonly "~optionNames": ReadonlySet<string> = new Set(acceptingOptionNames);
  /** A type only. */
  declare readonly "~accepts": Accepting<In>;
  /** A type only. */
  declare readonly "~options"?: ConsumerOptions<In>;

  /** @throws SLUICE_INVALID_OPTION, which fails the start */
  constructor(options: Omit<ConsumerOptions<In>, "subscribeTo"> = {}) {
    super();
    equip(this, options, (cell, stage, given) => {
      const concurrency = concurrencyOf(given, ["unordered", "keyed"]);
      return concurrency === undefined
        ? new ConsumerEngine(cell, stage)
        : new ConcurrentConsumerEngine(cell, stage, concurrency);
    });
  }

  /**
   * Handles a batch of at most `maxDemand − minDemand` events. A promise holds the mailbox and the next ask. With
   * `concurrency`: at most `batchSize` events, beside the mailbox; `context.signal` is the call's own.
   */
  protected abstract handleEvents(
    events: readonly In[],
    from: From,
    context: Context,
  ): void | Promise<void>;
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
