import { invalidOption } from "../support/internal.ts";
import { baseClass, cellOf, type Cell } from "../process/internal.ts";
import { Process, type Context } from "../process/index.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { emittingMark } from "./emitting.ts";
import type { EmittingEngine } from "./emitting-engine.ts";
import { ProducerEngine } from "./producer-engine.ts";
import type { CancelCause, Emitted, StageCallbacks } from "./stage-callbacks.ts";
import type { DemandMode } from "./demand-mode.ts";
import type { Emitting, From, SubscriptionTerms } from "./subscription.ts";

/** Options of a stage that emits; in the constructor as the class's own defaults, in `child` as the tree's word. */
export interface ProducerOptions<Out> {
  /**
   * Events waiting at most while nobody asks. A producer: default 10,000, beyond that it lets go as `bufferKeep` says; 0
   * keeps none. A producer-consumer: default 10 × the largest `maxDemand`, beyond that it stops processing.
   */
  readonly bufferSize?: number;
  /** Which events stay when the buffer of a producer is full; default `"last"`. */
  readonly bufferKeep?: "last" | "first";
  /** Offers waiting at most; default 1,000. Beyond: calls reject `SLUICE_OFFERS_FULL`, casts are dropped and counted. */
  readonly maxOffers?: number;
  /**
   * `"accumulate"`: it begins by keeping demand and events until `setDemandMode` says `"forward"`, so that all consumers
   * of a broadcast can be there first. Default `"forward"`. Not for a producer-consumer.
   */
  readonly demand?: DemandMode;
  /** Which consumer gets which event; default `demandDispatcher()`. */
  readonly dispatcher?: Dispatcher<Out>;
}

/** The names of these options, as far as a producer-consumer has them too. */
export const emittingOptionNames: readonly string[] = [
  "bufferSize",
  "bufferKeep",
  "maxOffers",
  "dispatcher",
];

/** Puts the engine in place, with the class's defaults under the tree's options. */
export function equip<E>(
  stage: object,
  defaults: object,
  make: (cell: Cell, stage: StageCallbacks, options: object) => E,
): void {
  if (!("~cell" in stage)) return;
  const cell = cellOf(stage);
  cell.engine = make(cell, stage as StageCallbacks, {
    ...defaults,
    ...cell.plan.options,
  }) as NonNullable<Cell["engine"]>;
}

/**
 * A stage that emits events of type `Out`. It emits when asked, by returning from `handleDemand`, or whenever it has
 * something, by `emit` or `offer` from any message. Events go to the consumers by the dispatcher, never more than they
 * have asked for; what nobody has asked for waits in a bounded buffer. Events of one producer reach one consumer in
 * order, each at most once.
 *
 * ```ts
 * import { Producer, child, consumer, name, startSupervisor } from "sluice";
 *
 * class Inbox extends Producer<string> {
 *   push(line: string): Promise<void> {
 *     return this.offer([line]);
 *   }
 * }
 * const inbox = name<Inbox>("inbox");
 * const print = consumer((lines: readonly string[]) => console.info(lines));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     inbox: child(Inbox, { name: inbox }),
 *     print: child(print, { subscribeTo: [inbox] }),
 *   },
 * });
 * await app.children.inbox.call.push("hello");
 * ```
 */
export abstract class Producer<Out> extends Process {
  static readonly "~optionNames": ReadonlySet<string> = new Set([...emittingOptionNames, "demand"]);
  /** A type only. */
  declare readonly "~emits": Emitting<Out>;
  /** A type only. */
  declare readonly "~options"?: ProducerOptions<Out>;
  /**
   * Emits events: to waiting demand, else into the buffer, which lets go what it cannot hold and counts it. Takes
   * ownership of the array.
   */
  declare protected readonly emit: (events: readonly Out[]) => void;
  /**
   * Emits without loss: resolves when all are taken or buffered. Return it from a message and its reply waits, not the
   * mailbox; a message that awaits it would wait for itself, and is told so.
   * @throws SLUICE_OFFERS_FULL, SLUICE_OFFER_AWAITED as rejections
   */
  declare protected readonly offer: (events: readonly Out[]) => Promise<void>;
  /** Takes all events at once if the buffer has room for them, else none and returns false. */
  declare protected readonly tryOffer: (events: readonly Out[]) => boolean;

  /** @throws SLUICE_INVALID_OPTION, which fails the start */
  constructor(options: ProducerOptions<Out> = {}) {
    super();
    equip(this, options, (cell, stage, given) => new ProducerEngine(cell, stage, given));
  }

  /**
   * `demand` more events are wanted than the buffer could serve; asks come one by one, in order, but where a dispatcher
   * gathers (`partitionDispatcher`), those that wait in a row come as one. A promise does not hold the mailbox: one is
   * open at most, later asks are summed until it settles, and its `context.signal` aborts at stop and when the last
   * consumer has gone. Returning fewer, or nothing, is fine: what is owed may be emitted later.
   */
  protected handleDemand?(demand: number, context: Context): Emitted<Out>;
  /** A consumer subscribed. */
  protected handleSubscribe?(
    role: "producer" | "consumer",
    terms: SubscriptionTerms,
    from: From,
  ): "automatic" | void;
  /** A consumer cancelled or is gone. */
  protected handleCancel?(cause: CancelCause, from: From): void | Promise<void>;
  /** The full buffer let `count` events go at once; `false` keeps that out of the log. They are counted all the same. */
  protected handleDiscarded?(count: number): boolean | void;
}

function outletOf(stage: object): EmittingEngine["outlet"] {
  return (cellOf(stage).engine as EmittingEngine).outlet;
}

/** @throws SLUICE_INVALID_OPTION */
function checkList(member: string, events: unknown): void {
  if (!Array.isArray(events)) throw invalidOption(`${member}: events`, events, "a list of events");
}

/** The emitting members, on every class that emits. */
export function emits(constructor: { readonly prototype: object }): void {
  baseClass(constructor);
  Object.defineProperties(constructor.prototype, {
    [emittingMark]: { value: true },
    emit: {
      value(this: object, events: readonly unknown[]): void {
        checkList("emit", events);
        const outlet = outletOf(this);
        outlet.emit(events, outlet.nowMs);
      },
    },
    offer: {
      value(this: object, events: readonly unknown[]): Promise<void> {
        checkList("offer", events);
        return outletOf(this).offer(events);
      },
    },
    tryOffer: {
      value(this: object, events: readonly unknown[]): boolean {
        checkList("tryOffer", events);
        return outletOf(this).tryOffer(events);
      },
    },
  });
}

emits(Producer);
