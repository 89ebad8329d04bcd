// Sluice's side of the comparison: the classes and options that a program would use.
import {
  Consumer,
  Producer,
  broadcastDispatcher,
  child,
  consumerSupervisor,
  filter,
  map,
  name,
  names,
  partitionDispatcher,
  startSupervisor,
} from "sluice";
import type { Dispatcher, Name, ProducerConsumer, Subscription } from "sluice";
import {
  addOne,
  isAwaited,
  isKept,
  item,
  laneOf,
  lanes,
  processed,
  settled,
  weigh,
} from "./workloads.ts";
import type { Bench, Item, Wired } from "./workloads.ts";

/** Makes `count` events, as many as are asked for, from `go` on. */
class Numbers<T> extends Producer<T> {
  readonly #make: (n: number) => T;
  readonly #count: number;
  #next = 0;
  #asked = 0;
  #going = false;

  constructor(count: number, make: (n: number) => T) {
    super();
    this.#count = count;
    this.#make = make;
  }

  go(): void {
    this.#going = true;
    this.emit(this.#take(this.#asked));
  }

  override handleDemand(demand: number): readonly T[] | void {
    if (this.#going) return this.#take(demand);
    this.#asked += demand;
  }

  #take(most: number): readonly T[] {
    const start = this.#next;
    const size = Math.min(most, this.#count - start);
    const events = new Array<T>(size);
    for (let n = 0; n < size; n++) events[n] = this.#make(start + n);
    this.#next = start + size;
    return events;
  }
}

/** Adds up what arrives at all consumers of one run. */
class Total {
  sum = 0;
  readonly reached: Promise<number>;
  #missing: number;
  #resolve!: (sum: number) => void;

  constructor(count: number) {
    this.#missing = count;
    this.reached = new Promise((resolve) => (this.#resolve = resolve));
  }

  add(sum: number, events: number): void {
    this.sum += sum;
    this.#missing -= events;
    if (this.#missing === 0) this.#resolve(this.sum);
  }
}

class Sum extends Consumer<number> {
  readonly #total: Total;
  constructor(total: Total) {
    super();
    this.#total = total;
  }
  override handleEvents(events: readonly number[]): void {
    let sum = 0;
    for (const n of events) sum += n;
    this.#total.add(sum, events.length);
  }
}

class Weight extends Consumer<Item> {
  readonly #total: Total;
  constructor(total: Total) {
    super();
    this.#total = total;
  }
  override handleEvents(events: readonly Item[]): void {
    let sum = 0;
    for (const event of events) sum += weigh(event);
    this.#total.add(sum, events.length);
  }
}

const integers: Name<Numbers<number>> = name("integers");
const items: Name<Numbers<Item>> = name("items");
const processor: Name<ProducerConsumer<Item, Item>> = name("processor");
const identity = (n: number): number => n;

/** What is timed: from the first event let go until all have arrived. */
const wired = (
  source: Name<Numbers<number>> | Name<Numbers<Item>>,
  total: Total,
  tree: { stop(): Promise<void> },
): Wired => ({
  run() {
    source.cast.go();
    return total.reached;
  },
  stop: () => tree.stop(),
});

export const W1O: Bench = async (count) => {
  const total = new Total(count);
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<Item>, { name: items, args: [count, item] }),
      sink: child(Weight, { args: [total], subscribeTo: [items] }),
    },
  });
  return wired(items, total, tree);
};

export const W2O: Bench = async (count) => {
  const total = new Total(count);
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<Item>, { name: items, args: [count, item] }),
      processor: child(map(processed), { name: processor, subscribeTo: [items] }),
      sink: child(Weight, { args: [total], subscribeTo: [processor] }),
    },
  });
  return wired(items, total, tree);
};

const sums = async (
  count: number,
  subscription: Subscription<number>,
  consumers: number,
): Promise<Wired> => {
  const total = new Total(count);
  const sum = child(Sum, { args: [total], subscribeTo: [subscription] });
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<number>, { name: integers, args: [count, identity] }),
      ...Object.fromEntries(Array.from({ length: consumers }, (_, n) => [`sum-${n}`, sum])),
    },
  });
  return wired(integers, total, tree);
};

export const W1: Bench = (count) => sums(count, { to: integers }, 1);
export const W3: Bench = (count) => sums(count, { to: integers, maxDemand: 100 }, lanes);
export const W6: Bench = (count) => sums(count, { to: integers, maxDemand: 1, minDemand: 0 }, 1);

/** Four consumers of a producer that hands out otherwise; together they get `deliveries` events. */
const dispatched = async (
  count: number,
  deliveries: number,
  dispatcher: Dispatcher<number>,
  subscription: (lane: number) => Subscription<number>,
): Promise<Wired> => {
  const total = new Total(deliveries);
  const sinks = Array.from({ length: lanes }, (_, lane) => {
    const sink = child(Sum, { args: [total], subscribeTo: [subscription(lane)] });
    return [`sum-${lane}`, sink] as const;
  });
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<number>, { name: integers, args: [count, identity], dispatcher }),
      ...Object.fromEntries(sinks),
    },
  });
  return wired(integers, total, tree);
};

export const W4: Bench = (count) =>
  dispatched(count, lanes * count, broadcastDispatcher(), () => ({ to: integers }));
export const W5: Bench = (count) => {
  const dispatcher = partitionDispatcher({ partitions: lanes, hash: laneOf });
  return dispatched(count, count, dispatcher, (partition) => ({ to: integers, partition }));
};

const fan =
  (consumers: number): Bench =>
  (count) =>
    sums(count, { to: integers, maxDemand: 100 }, consumers);

export const W9c1: Bench = fan(1);
export const W9c10: Bench = fan(10);
export const W9c100: Bench = fan(100);
export const W9c1000: Bench = fan(1_000);

const stages = names<ProducerConsumer<number, number>>("stage");

const chain =
  (depth: number): Bench =>
  async (count) => {
    const total = new Total(count);
    const processors = Array.from({ length: depth }, (_, n) => {
      const subscribeTo = [n === 0 ? integers : stages(`${n - 1}`)];
      return [`stage-${n}`, child(map(addOne), { name: stages(`${n}`), subscribeTo })] as const;
    });
    const tree = await startSupervisor({
      strategy: "one_for_all",
      children: {
        source: child(Numbers<number>, { name: integers, args: [count, identity] }),
        ...Object.fromEntries(processors),
        sink: child(Sum, { args: [total], subscribeTo: [stages(`${depth - 1}`)] }),
      },
    });
    return wired(integers, total, tree);
  };

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);

const kept: Name<ProducerConsumer<Item, Item>> = name("kept");

const awaited = async (event: Item): Promise<Item> => {
  await settled;
  return processed(event);
};

export const WX: Bench = async (count) => {
  let left = 0;
  for (let n = 0; n < count; n++) if (isKept(item(n))) left++;
  const total = new Total(left);
  const process = map((event: Item) => (isAwaited(event) ? awaited(event) : processed(event)));
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<Item>, { name: items, args: [count, item] }),
      processor: child(process, {
        name: processor,
        subscribeTo: [{ to: items, maxDemand: 7, minDemand: 3 }],
      }),
      keep: child(filter(isKept), {
        name: kept,
        subscribeTo: [{ to: processor, maxDemand: 250, minDemand: 10 }],
      }),
      sink: child(Weight, {
        args: [total],
        subscribeTo: [{ to: kept, maxDemand: 33, minDemand: 32 }],
      }),
    },
  });
  return wired(items, total, tree);
};

const children = async (
  count: number,
  task: (total: Total) => (n: number) => void | Promise<void>,
): Promise<Wired> => {
  const total = new Total(count);
  const tree = await startSupervisor({
    strategy: "one_for_all",
    children: {
      source: child(Numbers<number>, { name: integers, args: [count, identity] }),
      tasks: consumerSupervisor(task(total), {
        restart: "temporary",
        subscribeTo: [{ to: integers, maxDemand: 100 }],
      }),
    },
  });
  return wired(integers, total, tree);
};

export const W7: Bench = (count) => children(count, (total) => (n) => total.add(n, 1));
export const W7A: Bench = (count) =>
  children(count, (total) => async (n) => {
    await settled;
    total.add(n, 1);
  });
