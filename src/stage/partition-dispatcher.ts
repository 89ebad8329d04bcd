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

/** One partition, with the consumer that it has or not. */
class Partition<T> {
  subscriber: Subscriber | undefined = undefined;
  demand = 0;
  /** What waits until its consumer asks; while there is something, `demand` is 0. */
  readonly lane: Lane;
  /** What of the batch in hand is for it. */
  batch: T[] = [];
  /** So many of the batch may wait here. */
  room: number;

  constructor(maxQueue: number) {
    this.lane = new Lane(maxQueue);
    this.room = maxQueue;
  }
}

/** An event to the consumer of its partition (GenStage's PartitionDispatcher). */
class PartitionDispatching<T> implements Dispatching<T> {
  readonly context: DispatcherContext<T>;
  readonly names: readonly (string | number)[];
  readonly hash: (event: T) => string | number | undefined;
  readonly partitions: readonly Partition<T>[];
  readonly byName: ReadonlyMap<string | number, Partition<T>>;
  /** The names are the places in `partitions`. */
  readonly numbered: boolean;
  demand = 0;

  constructor(
    context: DispatcherContext<T>,
    partitions: number | readonly (string | number)[],
    hash: (event: T) => string | number | undefined,
    maxQueue: number,
  ) {
    this.context = context;
    this.hash = hash;
    this.numbered = typeof partitions === "number";
    this.names = typeof partitions === "number" ? [...Array(partitions).keys()] : partitions;
    this.partitions = this.names.map(() => new Partition<T>(maxQueue));
    this.byName = new Map(this.names.map((name, index) => [name, this.partitions[index]!]));
  }

  get queued(): number {
    let queued = 0;
    for (const { lane } of this.partitions) queued += lane.size;
    return queued;
  }

  subscribe(subscriber: Subscriber): void {
    const { partition: name } = subscriber.terms;
    const partition = name === undefined ? undefined : this.byName.get(name);
    const known = this.names.map((known) => describe(known)).join(", ");
    if (partition === undefined)
      throw invalidOption("subscription.partition", name, `one of the partitions ${known}`);
    if (partition.subscriber !== undefined)
      throw invalidOption("subscription.partition", name, "a partition that has no consumer yet");
    partition.subscriber = subscriber;
    subscriber.state = partition;
  }

  /** What waits stays, for the next consumer of the partition. */
  cancel(subscriber: Subscriber): void {
    const partition = subscriber.state as Partition<T>;
    if (partition.subscriber !== subscriber) return;
    this.demand -= partition.demand;
    partition.demand = 0;
    partition.subscriber = undefined;
  }

  ask(subscriber: Subscriber, count: number): void {
    const partition = subscriber.state as Partition<T>;
    const kept = partition.lane.take(count);
    const size = kept?.events.length ?? 0;
    partition.room += size;
    partition.demand += count - size;
    this.demand += count - size;
    if (kept !== undefined)
      this.context.deliver(subscriber, kept.events as readonly T[], kept.enteredMs);
  }

  dispatch(events: readonly T[], enteredMs: number): number {
    try {
      return this.divide(events);
    } finally {
      // What came before a mistake of the hash is let out.
      for (const partition of this.partitions)
        if (partition.batch.length > 0) this.handOut(partition, enteredMs);
    }
  }

  /** Puts events into the batches of their partitions, until one has no room or nobody wants more; returns how many. */
  divide(events: readonly T[]): number {
    const { hash, numbered, partitions } = this;
    const count = events.length;
    for (let index = 0; index < count; index++) {
      if (this.demand === 0) return index;
      const event = events[index]!;
      const name = hash(event);
      const partition = (numbered ? partitions[name as number] : undefined) ?? this.find(name);
      if (partition === undefined) continue;
      if (partition.demand > 0) {
        partition.demand--;
        this.demand--;
      } else if (partition.room > 0) partition.room--;
      else return index;
      partition.batch.push(event);
    }
    return count;
  }

  /** @throws SLUICE_INVALID_RETURN */
  find(name: string | number | undefined): Partition<T> | undefined {
    if (name === undefined) return undefined;
    const partition = this.byName.get(name);
    if (partition !== undefined) return partition;
    const got = describe(name);
    const expected = `undefined or one of ${this.names.map((known) => describe(known)).join(", ")}`;
    throw new SluiceError(
      "SLUICE_INVALID_RETURN",
      `hash of a partitionDispatcher returned ${got}, expected ${expected}`,
      { callback: "hash", got, expected },
    );
  }

  /** What was asked for goes, the rest waits: the room for it is reckoned. */
  handOut(partition: Partition<T>, enteredMs: number): void {
    const { batch, lane, subscriber } = partition;
    partition.batch = [];
    const waits = lane.capacity - partition.room - lane.size;
    const size = batch.length - waits;
    if (waits > 0) lane.add(batch, size, batch.length, enteredMs);
    if (size > 0) this.context.deliver(subscriber!, waits === 0 ? batch : batch.slice(0, size));
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
 * one partition arrive in order. What a consumer has not asked for waits for it, up to `maxQueue`, also when it has ended
 * and until the next one comes; meanwhile the others go on. When a partition is full, all wait in the stage's buffer.
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
