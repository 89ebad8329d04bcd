import { Process, type Context } from "../process/index.ts";
import { concurrencyOf } from "./concurrency.ts";
import { ConcurrentProducerConsumerEngine } from "./concurrent-producer-consumer-engine.ts";
import { acceptingOptionNames, type AcceptingOptions } from "./consumer.ts";
import { ProducerConsumerEngine } from "./producer-consumer-engine.ts";
import { emits, emittingOptionNames, equip, type ProducerOptions } from "./producer.ts";
import type { CancelCause, Emitted } from "./stage-callbacks.ts";
import type { Accepting, Emitting, From, SubscriptionTerms } from "./subscription.ts";

/** Options of a stage that accepts and emits; all but `subscribeTo` also in its constructor, as the class's own defaults. */
export interface ProducerConsumerOptions<In, Out>
  extends Omit<ProducerOptions<Out>, "demand">, AcceptingOptions<In> {
  /**
   * With `concurrency`: what is made of an event leaves `"ordered"` (default) in the order in which the events came, so
   * that one slow event lets at most `concurrency` others wait behind it; `"unordered"` as each is ready; `"keyed"` in
   * order per key.
   */
  readonly order?: "ordered" | "unordered" | "keyed";
}

/**
 * A stage that turns events of type `In` into events of type `Out`: any number per event, in order. It handles events
 * only while somebody downstream has asked, and asks upstream only after handling, so that it stands still, with at most
 * `maxDemand` events per subscription waiting, when downstream does. A full buffer stops it too; it never drops.
 *
 * What it emits while it handles a batch is, for the measure of latency, as old as the oldest event in that batch; what it
 * emits otherwise, from a timer or a call, is new. When a producer that it cannot be without has ended, it ends after
 * what came of its events is taken.
 */
export abstract class ProducerConsumer<In, Out> extends Process {
  static readonly "~optionNames": ReadonlySet<string> = new Set([
    ...emittingOptionNames,
    ...acceptingOptionNames,
  ]);
  /** A type only. */
  declare readonly "~emits": Emitting<Out>;
  /** A type only. */
  declare readonly "~accepts": Accepting<In>;
  /** A type only. */
  declare readonly "~options"?: ProducerConsumerOptions<In, Out>;
  /** Emits events beside what `handleEvents` returns. Takes ownership of the array. */
  declare protected readonly emit: (events: readonly Out[]) => void;
  /** Emits without loss, as in `Producer`. */
  declare protected readonly offer: (events: readonly Out[]) => Promise<void>;
  /** Takes all events at once if there is room, else none and returns false. */
  declare protected readonly tryOffer: (events: readonly Out[]) => boolean;

  /** @throws SLUICE_INVALID_OPTION, which fails the start */
  constructor(options: Omit<ProducerConsumerOptions<In, Out>, "subscribeTo"> = {}) {
    super();
    equip(this, options, (cell, stage, given) => {
      const concurrency = concurrencyOf(given, ["ordered", "unordered", "keyed"]);
      return concurrency === undefined
        ? new ProducerConsumerEngine(cell, stage, given)
        : new ConcurrentProducerConsumerEngine(cell, stage, given, concurrency);
    });
  }

  /**
   * Handles a batch and returns what it makes of it. A promise holds the mailbox. With `concurrency`: at most `batchSize`
   * events, beside the mailbox; `context.signal` is the call's own.
   */
  protected abstract handleEvents(
    events: readonly In[],
    from: From,
    context: Context,
  ): Emitted<Out>;
  /** A subscription was made, as a consumer of it (`role` is then `"producer"`) or as its producer. */
  protected handleSubscribe?(
    role: "producer" | "consumer",
    terms: SubscriptionTerms,
    from: From,
  ): "automatic" | "manual" | void;
  /** A subscription ended, on either side. */
  protected handleCancel?(cause: CancelCause, from: From): void | Promise<void>;
}

emits(ProducerConsumer);
