// What is measured: the graphs, their sizes and what each must add up to. A peer is a module with one function per workload.

/** An event of the workloads whose name ends in O: a fresh object of four fields. */
export interface Item {
  readonly id: number;
  readonly kind: string;
  readonly value: number;
  readonly live: boolean;
}

/** The n-th event, made anew. */
export const item = (n: number): Item => ({
  id: n,
  kind: n % 3 === 0 ? "refund" : "order",
  value: n & 1023,
  live: (n & 1) === 0,
});

/** What the processor of W2O makes of an event: a new object. */
export const processed = (event: Item): Item => ({
  id: event.id,
  kind: event.kind,
  value: event.value + 1,
  live: !event.live,
});

/** What the consumer adds to its checksum; it reads every field. */
export const weigh = (event: Item): number =>
  event.id + event.value + event.kind.length + (event.live ? 1 : 0);

/** What each processor of W8 does. */
export const addOne = (n: number): number => n + 1;

/** Consumers of W3, W4 and W5, and the partition of W5 that an event belongs to. */
export const lanes = 4;
export const laneOf = (n: number): number => n % lanes;

/** WX, with odd windows: every 64th event is awaited, and two of three go on. */
export const isAwaited = (event: Item): boolean => (event.id & 63) === 0;
export const isKept = (event: Item): boolean => event.kind === "order";

/** What a child of W7A awaits once. */
export const settled: Promise<void> = Promise.resolve();

/** A pipeline that is wired up and waits. */
export interface Wired {
  /** Lets all events through and resolves with the checksum; this alone is timed. */
  run(): number | Promise<number>;
  /** Takes the pipeline down. */
  stop?(): Promise<void>;
}

/** Wires up one pipeline for `count` events. */
export type Bench = (count: number) => Wired | Promise<Wired>;

export type WorkloadName =
  | "W1"
  | "W1O"
  | "W2O"
  | "W3"
  | "W4"
  | "W5"
  | "W6"
  | "W7"
  | "W7A"
  | "W8d1"
  | "W8d4"
  | "W8d16"
  | "W9c1"
  | "W9c10"
  | "W9c100"
  | "W9c1000"
  | "WX";

export type PeerName =
  | "sluice"
  | "plain-loop"
  | "array-loop"
  | "node-streams"
  | "rxjs"
  | "effect"
  | "effect-for-each"
  | "effect-group-by-key"
  | "p-queue";

/** One graph with its size. */
export interface Workload {
  readonly title: string;
  readonly count: number;
  /** Who has this workload. What a library has no means for is not imitated. */
  readonly peers: readonly PeerName[];
  /** What one event adds to the checksum. */
  readonly weight: (n: number) => number;
}

const all = ["sluice", "plain-loop", "node-streams", "rxjs", "effect"] as const;
const andFloor = [...all, "array-loop"] as const;
const integer = (n: number): number => n;

/** The workloads by name. */
export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  W1: {
    title: "producer → consumer, integers, window 1000/500",
    count: 5_000_000,
    peers: all,
    weight: integer,
  },
  W1O: {
    title: "producer → consumer, objects, window 1000/500",
    count: 2_000_000,
    peers: andFloor,
    weight: (n) => weigh(item(n)),
  },
  W2O: {
    title: "producer → processor → consumer, objects, window 1000/500",
    count: 2_000_000,
    peers: andFloor,
    weight: (n) => weigh(processed(item(n))),
  },
  W3: {
    title: "producer → 4 consumers by demand, integers, window 100",
    count: 5_000_000,
    peers: ["sluice", "plain-loop", "array-loop", "node-streams", "effect"],
    weight: integer,
  },
  W4: {
    title: "producer → 4 consumers, each event to all, integers, window 1000/500",
    count: 2_000_000,
    peers: andFloor,
    weight: (n) => lanes * n,
  },
  W5: {
    title: "producer → 4 consumers by partition, integers, window 1000/500",
    count: 5_000_000,
    peers: [...andFloor, "effect-group-by-key"],
    weight: integer,
  },
  W6: {
    title: "producer → consumer, integers, window 1/0",
    count: 1_000_000,
    peers: andFloor,
    weight: integer,
  },
  W7: {
    title: "a supervised child per event that ends at once, 100 at a time",
    count: 200_000,
    peers: [...all, "effect-for-each", "p-queue"],
    weight: integer,
  },
  W7A: {
    title: "a supervised child per event that ends after one await, 100 at a time",
    count: 200_000,
    peers: [...all, "effect-for-each", "p-queue"],
    weight: integer,
  },
  W8d1: chain(1),
  W8d4: chain(4),
  W8d16: chain(16),
  W9c1: fan(1),
  W9c10: fan(10),
  W9c100: fan(100),
  W9c1000: fan(1_000),
  WX: {
    title:
      "producer → processor that awaits every 64th event → filter → consumer, objects, windows 7/3, 250/10, 33/32",
    count: 500_000,
    peers: ["sluice", "plain-loop", "node-streams", "effect"],
    weight: (n) => (isKept(item(n)) ? weigh(processed(item(n))) : 0),
  },
};

function chain(depth: number): Workload {
  return {
    title: `producer → ${depth} processors that add 1 → consumer, integers, window 1000/500`,
    count: 1_000_000,
    peers: andFloor,
    weight: (n) => n + depth,
  };
}

function fan(consumers: number): Workload {
  return {
    title: `producer → ${consumers} consumers by demand, integers, window 100`,
    count: 2_000_000,
    peers: ["sluice", "plain-loop", "node-streams", "effect"],
    weight: integer,
  };
}

/** Peers whose producer waits for its consumers. Sluice is compared with the best of these. */
export const withBackPressure: ReadonlySet<PeerName> = new Set([
  "node-streams",
  "effect",
  "effect-group-by-key",
  "p-queue",
]);

/** What all consumers of `workload` together must have added up after `count` events. */
export function checksum(workload: Workload, count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += workload.weight(n);
  return sum;
}
