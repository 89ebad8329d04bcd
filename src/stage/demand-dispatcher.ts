import {
  DemandBuckets,
  checkInteger,
  invalidOption,
  type DemandEntry,
} from "../support/internal.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";

/** A subscriber's place among the demands. */
class Entry implements DemandEntry<Entry> {
  readonly subscriber: Subscriber;
  demand = 0;
  bucketNext: Entry | undefined = undefined;
  bucketPrevious: Entry | undefined = undefined;

  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber;
  }
}

/** To whoever asked for most; among equals, to whoever asked first (GenStage's DemandDispatcher, G72, G73). */
class DemandDispatching<T> implements Dispatching<T> {
  readonly buckets: DemandBuckets<Entry> = new DemandBuckets();
  readonly context: DispatcherContext<T>;
  /** An ask above it is warned of. */
  readonly maxDemand: number;
  /** The first events to be handed out go by lot. */
  shuffle: boolean;
  demand = 0;
  /** Its only subscriber, as long as there was never another: it stands in no bucket. */
  sole: Entry | undefined = undefined;
  subscribers = 0;

  constructor(context: DispatcherContext<T>, shuffle: boolean, maxDemand: number) {
    this.context = context;
    this.shuffle = shuffle;
    this.maxDemand = maxDemand;
  }

  subscribe(subscriber: Subscriber): void {
    const entry = new Entry(subscriber);
    subscriber.state = entry;
    if (this.subscribers++ === 0) {
      this.sole = entry;
      return;
    }
    const { sole } = this;
    if (sole === undefined) return;
    this.sole = undefined;
    if (sole.demand > 0) this.buckets.add(sole);
  }

  cancel(subscriber: Subscriber): void {
    const entry = subscriber.state as Entry;
    this.subscribers--;
    if (entry === this.sole) this.sole = undefined;
    else if (entry.demand > 0) this.buckets.remove(entry);
    this.demand -= entry.demand;
    entry.demand = 0;
  }

  ask(subscriber: Subscriber, count: number): void {
    const entry = subscriber.state as Entry;
    if (count > this.maxDemand) this.warn(count);
    this.demand += count;
    if (entry === this.sole) {
      entry.demand += count;
      return;
    }
    if (entry.demand > 0) this.buckets.remove(entry);
    entry.demand += count;
    this.buckets.add(entry);
  }

  dispatch(events: readonly T[]): number {
    const { buckets, context, sole } = this;
    const count = events.length;
    if (sole !== undefined) {
      const size = Math.min(sole.demand, count);
      if (size === 0) return 0;
      sole.demand -= size;
      this.demand -= size;
      context.deliver(sole.subscriber, size === count ? events : events.slice(0, size));
      return size;
    }
    if (this.shuffle) return this.dispatchByLot(events);
    let start = 0;
    while (start < count) {
      const entry = buckets.highest();
      if (entry === undefined) break;
      buckets.remove(entry);
      const size = Math.min(entry.demand, count - start);
      entry.demand -= size;
      this.demand -= size;
      if (entry.demand > 0) buckets.add(entry);
      context.deliver(
        entry.subscriber,
        size === count ? events : events.slice(start, start + size),
      );
      start += size;
    }
    return start;
  }

  dispatchByLot(events: readonly T[]): number {
    const { buckets, context } = this;
    const entries: Entry[] = [];
    for (let next = buckets.highest(); next !== undefined; next = buckets.highest()) {
      buckets.remove(next);
      entries.splice(Math.floor(context.random() * (entries.length + 1)), 0, next);
    }
    this.shuffle = entries.length === 0;
    let start = 0;
    for (const entry of entries) {
      const size = Math.min(entry.demand, events.length - start);
      entry.demand -= size;
      this.demand -= size;
      if (entry.demand > 0) buckets.add(entry);
      if (size > 0) context.deliver(entry.subscriber, events.slice(start, start + size));
      start += size;
    }
    return start;
  }

  warn(count: number): void {
    this.context.warn(
      `a consumer asks for ${count} events, more than the ${this.maxDemand} of its demandDispatcher: it will be served first`,
    );
  }
}

/** Options of {@link demandDispatcher}. */
export interface DemandOptions {
  /** The first events that are handed out go to those who wait by lot, so that no consumer is always the first. */
  readonly shuffle?: boolean;
  /** What one consumer is expected to ask for at most; more is served too, and logged as a warning. Default: no limit. */
  readonly maxDemand?: number;
}

/**
 * Each event to one consumer: whoever asked for most; among equals, whoever asked first. The default. Consumers with equal
 * windows share the work by their speed; one with a larger window is served first, of which `maxDemand` warns.
 * @throws SLUICE_INVALID_OPTION
 */
export function demandDispatcher(options: DemandOptions = {}): Dispatcher<unknown> {
  const { shuffle = false, maxDemand = Infinity } = options;
  if (typeof shuffle !== "boolean") throw invalidOption("shuffle", shuffle, "true or false");
  if (maxDemand !== Infinity) checkInteger("maxDemand", maxDemand, 1);
  return {
    kind: "demand",
    options: [],
    make: (context) => new DemandDispatching<unknown>(context, shuffle, maxDemand),
  };
}
