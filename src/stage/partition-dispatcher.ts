import { SluiceError, checkInteger, describe, invalidOption } from "../support/internal.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
import { stableHash } from "./hash.ts";
import { Lane, afterAll } from "./lane.ts";

/** How to divide events among partitions. */
export interface PartitionOptions<T> {
  /** How many, then they are called 0, 1, 2, …; or their names. */
  readonly partitions: number | readonly (string | number)[];
  /**
   * The partition of an event; `undefined`: none, nobody gets it. Anything else ends the stage with
   * `SLUICE_INVALID_RETURN`. Default, where partitions have no names: an even spread by what the event is made of, the
   * same in every run.
   */
  readonly hash?: (event: T) => string | number | undefined;
  /**
   * Events that may wait for one partition whose consumer has not asked for them, or has not come yet; default 1,000.
   * Beyond, all wait in the stage's buffer.
   */
  readonly maxQueue?: number;
}

const defaultMaxQueue = 1_000;
/** Asks are gathered until so many events are wanted: more at a time are no cheaper, and keep the thread longer. */
const gathered = 4_000;
/** So many events per partition are divided at a time: what a consumer with the default window handles as one batch. */
const share = 500;

/** One partition, with the consumer that it has or not. */
class Partition<T> {
  subscriber: Subscriber | undefined = undefined;
  demand = 0;
  /** What waits until its consumer asks; while there is something, `demand` is 0. */
  readonly lane: Lane;
  /** What of the events in hand is for it, the first `size` of this; how many it has room for. */
  batch: (T | undefined)[] = [];
  size = 0;
  room = 0;

  constructor(maxQueue: number) {
    this.lane = new Lane(maxQueue);
  }

  open(): void {
    this.size = 0;
    this.room = this.demand + this.lane.capacity - this.lane.size;
  }

  /** What came. The array is used again, since growing a new one costs more than the rest. */
  close(): readonly T[] {
    const { batch, size } = this;
    const came = batch.slice(0, size) as T[];
    // Numbers keep nothing alive.
    if (typeof came[0] !== "number") batch.fill(undefined, 0, size);
    return came;
  }
}

/** An event to the consumer of its partition (GenStage's PartitionDispatcher). */
class PartitionDispatching<T> implements Dispatching<T> {
  readonly context: DispatcherContext<T>;
  readonly names: readonly (string | number)[];
  readonly hash: (event: T) => string | number | undefined;
  readonly partitions: readonly Partition<T>[];
  /** The place in `partitions` of each name, where names are not places themselves. */
  readonly places: ReadonlyMap<string | number, number>;
  /** Where names are places: the partitions, by their names. */
  readonly numbered: readonly Partition<T>[];
  readonly gathers = gathered;
  /** Asked for and not delivered. */
  asked = 0;
  /** What waits for consumers that are there: they have it as soon as they ask, so it answers the demand as well. */
  owed = 0;

  constructor(
    context: DispatcherContext<T>,
    partitions: number | readonly (string | number)[],
    hash: (event: T) => string | number | undefined,
    maxQueue: number,
  ) {
    this.context = context;
    this.hash = hash;
    this.names = typeof partitions === "number" ? [...Array(partitions).keys()] : partitions;
    this.partitions = this.names.map(() => new Partition<T>(maxQueue));
    this.numbered = typeof partitions === "number" ? this.partitions : [];
    this.places = new Map(this.names.map((name, place) => [name, place]));
  }

  get demand(): number {
    return this.asked > this.owed ? this.asked - this.owed : 0;
  }

  get queued(): number {
    let queued = 0;
    for (const { lane } of this.partitions) queued += lane.size;
    return queued;
  }

  subscribe(subscriber: Subscriber): void {
    const { partition: name } = subscriber.terms;
    const place = name === undefined ? undefined : this.places.get(name);
    const partition = place === undefined ? undefined : this.partitions[place];
    const known = this.names.map((known) => describe(known)).join(", ");
    if (partition === undefined)
      throw invalidOption("subscription.partition", name, `one of the partitions ${known}`);
    if (partition.subscriber !== undefined)
      throw invalidOption("subscription.partition", name, "a partition that has no consumer yet");
    partition.subscriber = subscriber;
    subscriber.state = partition;
    this.owed += partition.lane.size;
  }

  /** What waits stays, for the next consumer of the partition. */
  cancel(subscriber: Subscriber): void {
    const partition = subscriber.state as Partition<T>;
    if (partition.subscriber !== subscriber) return;
    this.asked -= partition.demand;
    this.owed -= partition.lane.size;
    partition.demand = 0;
    partition.subscriber = undefined;
  }

  ask(subscriber: Subscriber, count: number): void {
    const partition = subscriber.state as Partition<T>;
    const kept = partition.lane.take(count);
    const size = kept?.events.length ?? 0;
    partition.demand += count - size;
    this.asked += count - size;
    this.owed -= size;
    if (kept !== undefined)
      this.context.deliver(subscriber, kept.events as readonly T[], kept.enteredMs);
  }

  dispatch(events: readonly T[], enteredMs: number): number {
    const count = events.length;
    const most = share * this.partitions.length;
    let start = 0;
    // No more at a time than are wanted. Events that go to none, or wait for a consumer to come, leave that as it was.
    for (let wanted = this.demand; start < count && wanted > 0; wanted = this.demand) {
      const end = Math.min(start + Math.min(wanted, most), count);
      const stop = this.divide(events, start, end, enteredMs);
      start = stop;
      if (stop < end) break;
    }
    return start;
  }

  /** Divides the events from `start` to `end`, up to one whose partition is full; returns how far it came. */
  divide(events: readonly T[], start: number, end: number, enteredMs: number): number {
    const { partitions } = this;
    for (const partition of partitions) partition.open();
    try {
      return this.sort(events, start, end);
    } finally {
      // What came before a mistake of the hash is let out, too.
      for (const partition of partitions)
        if (partition.size > 0) this.handOut(partition, enteredMs);
    }
  }

  /** The loop of `divide`, apart from it: what the compiler need not keep for the rest, it need not save. */
  sort(events: readonly T[], start: number, end: number): number {
    const { hash, numbered } = this;
    let index = start;
    for (; index < end; index++) {
      const event = events[index]!;
      const name = hash(event);
      let partition = typeof name === "number" ? numbered[name] : undefined;
      if (partition === undefined) {
        partition = this.find(name);
        if (partition === undefined) continue;
      }
      const { size } = partition;
      if (size === partition.room) break;
      partition.batch[size] = event;
      partition.size = size + 1;
    }
    return index;
  }

  /** The partition of that name; nothing for none. @throws SLUICE_INVALID_RETURN */
  find(name: string | number | undefined): Partition<T> | undefined {
    if (name === undefined) return undefined;
    const place = this.places.get(name);
    if (place !== undefined) return this.partitions[place];
    const got = describe(name);
    const expected = `undefined or one of ${this.names.map((known) => describe(known)).join(", ")}`;
    throw new SluiceError(
      "SLUICE_INVALID_RETURN",
      `hash of a partitionDispatcher returned ${got}, expected ${expected}`,
      { callback: "hash", got, expected },
    );
  }

  /** What was asked for goes, the rest waits. */
  handOut(partition: Partition<T>, enteredMs: number): void {
    const batch = partition.close();
    const { length } = batch;
    const { subscriber } = partition;
    const size = Math.min(partition.demand, length);
    partition.demand -= size;
    this.asked -= size;
    if (size < length) {
      partition.lane.add(batch, size, length, enteredMs);
      if (subscriber !== undefined) this.owed += length - size;
    }
    if (size === 0) return;
    this.context.deliver(subscriber!, size === length ? batch : batch.slice(0, size));
  }

  afterQueued(run: () => void): void {
    afterAll(
      this.partitions.map(({ lane }) => lane),
      run,
    );
  }
}

/**
 * Each event to the consumer of its partition: one consumer per partition, which subscribes with `partition`. Events of
 * one partition arrive in order. What a consumer has not asked for waits for it, up to `maxQueue`; meanwhile the others go
 * on, as long as what waits is not more than they have asked for. What waits for a consumer that has ended stays for the
 * next one, and holds the others up only when the partition is full: then all wait in the stage's buffer. Asks that wait
 * in a row are one demand, until 4,000 events are wanted.
 *
 * A subscription without a partition, with an unknown one or with one that is taken is refused
 * (`SLUICE_INVALID_OPTION`), which harms nobody else.
 *
 * ```ts
 * import { Producer, child, consumer, name, partitionDispatcher, startSupervisor } from "sluice";
 *
 * class Orders extends Producer<{ readonly country: string }> {
 *   push(country: string): Promise<void> {
 *     return this.offer([{ country }]);
 *   }
 * }
 * const orders = name<Orders>("orders");
 * const count = consumer((some: readonly unknown[]) => console.info(some.length));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     orders: child(Orders, {
 *       name: orders,
 *       dispatcher: partitionDispatcher({
 *         partitions: ["at home", "abroad"],
 *         hash: ({ country }: { readonly country: string }) =>
 *           country === "" ? undefined : country === "AT" ? "at home" : "abroad",
 *       }),
 *     }),
 *     home: child(count, { subscribeTo: [{ to: orders, partition: "at home" }] }),
 *     abroad: child(count, { subscribeTo: [{ to: orders, partition: "abroad" }] }),
 *   },
 * });
 * await app.children.orders.call.push("AT");
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function partitionDispatcher<T>(options: PartitionOptions<T>): Dispatcher<T> {
  const { partitions, hash, maxQueue = defaultMaxQueue } = options ?? {};
  if (typeof partitions === "number") checkInteger("partitions", partitions, 1);
  else {
    const names = Array.isArray(partitions) && partitions.length > 0 ? partitions : undefined;
    if (names === undefined || new Set(names).size < names.length)
      throw invalidOption("partitions", partitions, "how many, or a list of different names");
    if (hash === undefined)
      throw invalidOption("hash", hash, "a function, since the partitions have names");
  }
  if (hash !== undefined && typeof hash !== "function")
    throw invalidOption("hash", hash, "a function from an event to a partition");
  checkInteger("maxQueue", maxQueue, 0);
  const spread = (event: T): number => stableHash(event, partitions as number);
  return {
    kind: "partition",
    options: ["partition"],
    make: (context) => new PartitionDispatching(context, partitions, hash ?? spread, maxQueue),
  };
}
