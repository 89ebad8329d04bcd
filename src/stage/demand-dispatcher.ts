import { DemandBuckets, type DemandEntry } from "../support/internal.ts";
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
  demand = 0;
  /** Its only subscriber, as long as there was never another: it stands in no bucket. */
  sole: Entry | undefined = undefined;
  subscribers = 0;

  constructor(context: DispatcherContext<T>) {
    this.context = context;
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
}

/** To whoever asked for most; among equals, to whoever asked first. The default. */
export function demandDispatcher(): Dispatcher<unknown> {
  return {
    kind: "demand",
    options: [],
    make: (context) => new DemandDispatching<unknown>(context),
  };
}
