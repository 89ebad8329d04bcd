import { DemandBuckets, type DemandEntry } from "../support/internal.ts";
import type { Deliver, Dispatcher, Dispatching, Subscriber } from "./dispatcher.ts";

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
export class DemandDispatching<T> implements Dispatching<T> {
  readonly buckets: DemandBuckets<Entry> = new DemandBuckets();
  demand = 0;

  subscribe(subscriber: Subscriber): void {
    subscriber.state = new Entry(subscriber);
  }

  cancel(subscriber: Subscriber): void {
    const entry = subscriber.state as Entry;
    if (entry.demand > 0) this.buckets.remove(entry);
    this.demand -= entry.demand;
    entry.demand = 0;
  }

  ask(subscriber: Subscriber, count: number): void {
    const entry = subscriber.state as Entry;
    if (entry.demand > 0) this.buckets.remove(entry);
    entry.demand += count;
    this.demand += count;
    this.buckets.add(entry);
  }

  dispatch(events: readonly T[], deliver: Deliver<T>): number {
    const { buckets } = this;
    const count = events.length;
    let start = 0;
    while (start < count) {
      const entry = buckets.highest();
      if (entry === undefined) break;
      buckets.remove(entry);
      const size = Math.min(entry.demand, count - start);
      entry.demand -= size;
      this.demand -= size;
      if (entry.demand > 0) buckets.add(entry);
      deliver(entry.subscriber, size === count ? events : events.slice(start, start + size));
      start += size;
    }
    return start;
  }
}

/** To whoever asked for most; among equals, to whoever asked first. The default. */
export function demandDispatcher(): Dispatcher<unknown> {
  return { kind: "demand", "~make": () => new DemandDispatching<unknown>() };
}
