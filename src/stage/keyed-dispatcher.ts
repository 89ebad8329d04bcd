import { DemandBuckets, Deque, checkInteger, invalidOption } from "../support/internal.ts";
import type { DemandEntry } from "../support/internal.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";

/** How to keep events of one key together. */
export interface KeyedOptions<T> {
  /** What events have in common that are handled one after the other. Compared as in a `Map`. */
  readonly key: (event: T) => unknown;
  /**
   * Events that may wait because whoever is at work on their key has asked for no more; default 1,000. Beyond, all wait
   * in the stage's buffer.
   */
  readonly maxQueue?: number;
}

const defaultMaxQueue = 1_000;

/** Events that began to wait between two calls of `afterQueued`: how many of them still do, and what follows them. */
interface Generation {
  left: number;
  run: (() => void) | undefined;
}

interface Waiting<T> {
  readonly event: T;
  readonly enteredMs: number;
  readonly generation: Generation;
}

/** A key of which events wait or may be unfinished. */
class Key<T> {
  readonly name: unknown;
  /** Who has unfinished events of it; none while only waiting ones are left. */
  owner: Worker<T> | undefined = undefined;
  unfinished = 0;
  readonly waiting: Deque<Waiting<T>> = new Deque();

  constructor(name: unknown) {
    this.name = name;
  }
}

/** A subscriber, and what it may still be at work on. */
class Worker<T> implements DemandEntry<Worker<T>> {
  readonly subscriber: Subscriber;
  demand = 0;
  bucketNext: Worker<T> | undefined = undefined;
  bucketPrevious: Worker<T> | undefined = undefined;
  asked = 0;
  given = 0;
  /** Asked for and not handled are so many at most. */
  window = 0;
  /** The keys of the events that it was given and that are not known to be finished, in order. */
  readonly unfinished: Deque<Key<T>> = new Deque();
  /** Keys whose next event waits for this one to ask. Some may have gone to others since. */
  readonly waiting: Deque<Key<T>> = new Deque();
  /** What is handed to it at the end of the step in hand. */
  batch: T[] = [];
  enteredMs = Infinity;

  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber;
  }
}

/** Events of a key to whoever may have unfinished ones of it, else to whoever asked for most. */
class KeyedDispatching<T> implements Dispatching<T> {
  readonly context: DispatcherContext<T>;
  readonly keyOf: (event: T) => unknown;
  readonly maxQueue: number;
  readonly keys: Map<unknown, Key<T>> = new Map();
  readonly buckets: DemandBuckets<Worker<T>> = new DemandBuckets();
  /** Keys that nobody is at work on and of which events wait. */
  readonly ready: Deque<Key<T>> = new Deque();
  /** Those with something in their batch. */
  touched: Worker<T>[] = [];
  readonly closed: Deque<Generation> = new Deque();
  generation: Generation = { left: 0, run: undefined };
  demand = 0;
  queued = 0;

  constructor(context: DispatcherContext<T>, keyOf: (event: T) => unknown, maxQueue: number) {
    this.context = context;
    this.keyOf = keyOf;
    this.maxQueue = maxQueue;
  }

  subscribe(subscriber: Subscriber): void {
    const { inOrder, maxDemand } = subscriber.terms;
    if (!inOrder && maxDemand > 1)
      throw invalidOption(
        "subscription.maxDemand",
        maxDemand,
        "1: a consumer that works on several events at once keeps no order, which a keyedDispatcher promises",
      );
    subscriber.state = new Worker<T>(subscriber);
  }

  cancel(subscriber: Subscriber): void {
    const worker = subscriber.state as Worker<T>;
    if (worker.demand > 0) this.buckets.remove(worker);
    this.demand -= worker.demand;
    worker.demand = 0;
  }

  released(subscriber: Subscriber): void {
    const { unfinished } = subscriber.state as Worker<T>;
    while (unfinished.length > 0) this.finish(unfinished.shift()!);
    this.serveReady();
    this.handOut();
  }

  ask(subscriber: Subscriber, count: number): void {
    const worker = subscriber.state as Worker<T>;
    if (worker.demand > 0) this.buckets.remove(worker);
    worker.demand += count;
    this.demand += count;
    this.buckets.add(worker);
    worker.asked += count;
    this.acknowledge(worker);
    this.serveWaiting(worker);
    this.serveReady();
    this.handOut();
  }

  /**
   * Asked for and not handled are never more than the window, by the terms of the subscription or, where it asked by
   * hand for more, as it has shown. So whoever has asked for n in all has handled n − window, and these were the oldest.
   */
  acknowledge(worker: Worker<T>): void {
    const { asked, given, unfinished, subscriber } = worker;
    worker.window = Math.max(worker.window, subscriber.terms.maxDemand, asked - given);
    const handled = asked - worker.window;
    while (given - unfinished.length < handled) this.finish(unfinished.shift()!);
  }

  finish(key: Key<T>): void {
    key.unfinished--;
    if (key.unfinished > 0) return;
    key.owner = undefined;
    if (key.waiting.length === 0) this.keys.delete(key.name);
    else this.ready.push(key);
  }

  /** One event of each key that waits for this one, in turns. */
  serveWaiting(worker: Worker<T>): void {
    const { waiting } = worker;
    while (worker.demand > 0 && waiting.length > 0) {
      const key = waiting.shift()!;
      if (key.owner !== worker || key.waiting.length === 0) continue;
      this.giveNext(worker, key);
      if (key.waiting.length > 0) waiting.push(key);
    }
  }

  serveReady(): void {
    const { ready } = this;
    while (this.demand > 0 && ready.length > 0) {
      const key = ready.shift()!;
      const worker = this.buckets.highest()!;
      this.giveNext(worker, key);
      if (key.waiting.length === 0) continue;
      worker.waiting.push(key);
      this.serveWaiting(worker);
    }
  }

  giveNext(worker: Worker<T>, key: Key<T>): void {
    const { event, enteredMs, generation } = key.waiting.shift()!;
    this.queued--;
    generation.left--;
    this.give(worker, key, event, enteredMs);
    this.reach();
  }

  give(worker: Worker<T>, key: Key<T>, event: T, enteredMs: number): void {
    key.owner = worker;
    key.unfinished++;
    worker.unfinished.push(key);
    worker.given++;
    this.buckets.remove(worker);
    worker.demand--;
    this.demand--;
    if (worker.demand > 0) this.buckets.add(worker);
    if (worker.batch.length === 0) this.touched.push(worker);
    worker.batch.push(event);
    if (enteredMs < worker.enteredMs) worker.enteredMs = enteredMs;
  }

  dispatch(events: readonly T[], enteredMs: number): number {
    try {
      return this.assign(events, enteredMs);
    } finally {
      // What came before a mistake in `key` is let out.
      this.handOut();
    }
  }

  assign(events: readonly T[], enteredMs: number): number {
    const { keys, keyOf } = this;
    const count = events.length;
    for (let index = 0; index < count; index++) {
      if (this.demand === 0) return index;
      const event = events[index]!;
      const name = keyOf(event);
      let key = keys.get(name);
      if (key === undefined) {
        keys.set(name, (key = new Key(name)));
        this.give(this.buckets.highest()!, key, event, enteredMs);
      } else if (key.waiting.length === 0 && key.owner!.demand > 0)
        this.give(key.owner!, key, event, enteredMs);
      else if (this.queued < this.maxQueue) this.keep(key, event, enteredMs);
      else return index;
    }
    return count;
  }

  keep(key: Key<T>, event: T, enteredMs: number): void {
    const { generation } = this;
    if (key.waiting.length === 0) key.owner!.waiting.push(key);
    key.waiting.push({ event, enteredMs, generation });
    generation.left++;
    this.queued++;
  }

  handOut(): void {
    const { touched } = this;
    if (touched.length === 0) return;
    this.touched = [];
    for (const worker of touched) {
      const { subscriber, batch, enteredMs } = worker;
      worker.batch = [];
      worker.enteredMs = Infinity;
      this.context.deliver(subscriber, batch, enteredMs);
    }
  }

  afterQueued(run: () => void): void {
    this.generation.run = run;
    this.closed.push(this.generation);
    this.generation = { left: 0, run: undefined };
    this.reach();
  }

  reach(): void {
    while (this.closed.length > 0 && this.closed.at(0)!.left === 0) this.closed.shift()!.run!();
  }
}

/**
 * Events of one key are handled one after the other, in order; those of different keys side by side, on any number of
 * consumers. A key is no partition: it is with a consumer only as long as that may have unfinished events of it, then its
 * next event goes to whoever asked for most. So consumers may come and go, and there may be any number of keys; nothing is
 * kept of one that has no events.
 *
 * What is finished is known from the asks. A consumer handles events in order, and what it has asked for and not handled
 * is never more than its `maxDemand`: so it has handled the oldest, as many as it has asked for beyond its window. This
 * holds for automatic subscriptions by themselves. One that asks by hand must keep to it: ask again for what is handled,
 * not before; its first ask may be larger than the window. A small `maxDemand` lets keys move early. A consumer
 * that works on several events at once, as a ConsumerSupervisor does, is refused unless its `maxDemand` is 1. A window that
 * `setDemand` raises above that of the subscription is not known here: subscribe with the largest.
 *
 * When a subscription is cancelled, its keys move on when its consumer has handled all that it got. When a consumer dies,
 * they move on at once, without what it had not finished (an asynchronous callback that was killed may still be running).
 *
 * ```ts
 * import { Producer, child, consumer, keyedDispatcher, name, sleep, startSupervisor } from "sluice";
 *
 * interface Change {
 *   readonly account: number;
 *   readonly amount: number;
 * }
 * class Changes extends Producer<Change> {
 *   push(account: number, amount: number): Promise<void> {
 *     return this.offer([{ account, amount }]);
 *   }
 * }
 * const changes = name<Changes>("changes");
 * const book = consumer(async (some: readonly Change[]) => {
 *   for (const { account, amount } of some) {
 *     await sleep(1);
 *     console.info(account, amount);
 *   }
 * });
 * const worker = child(book, { subscribeTo: [{ to: changes, maxDemand: 10 }] });
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     changes: child(Changes, {
 *       name: changes,
 *       dispatcher: keyedDispatcher({ key: ({ account }: Change) => account }),
 *     }),
 *     one: worker,
 *     two: worker,
 *     three: worker,
 *   },
 * });
 * for (const account of [7, 8, 7]) await app.children.changes.call.push(account, 1);
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function keyedDispatcher<T>(options: KeyedOptions<T>): Dispatcher<T> {
  const { key, maxQueue = defaultMaxQueue } = options ?? {};
  if (typeof key !== "function") throw invalidOption("key", key, "a function of an event");
  checkInteger("maxQueue", maxQueue, 0);
  return {
    kind: "keyed",
    options: [],
    make: (context) => new KeyedDispatching(context, key, maxQueue),
  };
}
