import { Process } from "../process/index.ts";
import type { ConsumerOptions } from "./consumer.ts";
import { ProducerConsumerEngine } from "./producer-consumer-engine.ts";
import { emits, emittingOptionNames, equip, type ProducerOptions } from "./producer.ts";
import type { CancelCause, Emitted } from "./stage-callbacks.ts";
import type { Accepting, Emitting, From, SubscriptionTerms } from "./subscription.ts";

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
    "subscribeTo",
  ]);
  /** A type only. */
  declare readonly "~emits": Emitting<Out>;
  /** A type only. */
  declare readonly "~accepts": Accepting<In>;
  /** A type only. */
  declare readonly "~options"?: Omit<ProducerOptions<Out>, "demand"> & ConsumerOptions<In>;
  /** Emits events beside what `handleEvents` returns. Takes ownership of the array. */
  declare protected readonly emit: (events: readonly Out[]) => void;
  /** Emits without loss, as in `Producer`. */
  declare protected readonly offer: (events: readonly Out[]) => Promise<void>;
  /** Takes all events at once if there is room, else none and returns false. */
  declare protected readonly tryOffer: (events: readonly Out[]) => boolean;

  /** @throws SLUICE_INVALID_OPTION, which fails the start */
  constructor(options: Omit<ProducerOptions<Out>, "demand"> = {}) {
    super();
    equip(this, options, (cell, stage, given) => new ProducerConsumerEngine(cell, stage, given));
  }

  /** Handles a batch and returns what it makes of it. A promise holds the mailbox. */
  protected abstract handleEvents(events: readonly In[], from: From): Emitted<Out>;
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
