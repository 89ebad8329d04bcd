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

export type WorkloadName = "W1O" | "W2O" | "W3" | "W6" | "W7" | "W7A";

export type PeerName =
  | "sluice"
  | "plain-loop"
  | "node-streams"
  | "rxjs"
  | "effect"
  | "effect-for-each"
  | "p-queue";

/** One graph with its size. */
export interface Workload {
  readonly title: string;
  readonly count: number;
  /** Events of the run that comes first, in the same process, and is not timed. */
  readonly warmUp: number;
  /** Who has this workload. What a library has no means for is not imitated. */
  readonly peers: readonly PeerName[];
  /** What one event adds to the checksum. */
  readonly weight: (n: number) => number;
}

const all = ["sluice", "plain-loop", "node-streams", "rxjs", "effect"] as const;
const integer = (n: number): number => n;

/** The workloads by name. */
export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  W1O: {
    title: "producer → consumer, objects, window 1000/500",
    count: 2_000_000,
    warmUp: 200_000,
    peers: all,
    weight: (n) => weigh(item(n)),
  },
  W2O: {
    title: "producer → processor → consumer, objects, window 1000/500",
    count: 2_000_000,
    warmUp: 200_000,
    peers: all,
    weight: (n) => weigh(processed(item(n))),
  },
  W3: {
    title: "producer → 4 consumers by demand, integers, window 100",
    count: 5_000_000,
    warmUp: 500_000,
    peers: ["sluice", "plain-loop", "node-streams", "effect"],
    weight: integer,
  },
  W6: {
    title: "producer → consumer, integers, window 1/0",
    count: 1_000_000,
    warmUp: 100_000,
    peers: all,
    weight: integer,
  },
  W7: {
    title: "a supervised child per event that ends at once, 100 at a time",
    count: 200_000,
    warmUp: 20_000,
    peers: [...all, "effect-for-each", "p-queue"],
    weight: integer,
  },
  W7A: {
    title: "a supervised child per event that ends after one await, 100 at a time",
    count: 200_000,
    warmUp: 20_000,
    peers: [...all, "effect-for-each", "p-queue"],
    weight: integer,
  },
};

/** Peers whose producer waits for its consumers. Sluice is compared with the best of these. */
export const withBackPressure: ReadonlySet<PeerName> = new Set([
  "node-streams",
  "effect",
  "p-queue",
]);

/** What all consumers of `workload` together must have added up after `count` events. */
export function checksum(workload: Workload, count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += workload.weight(n);
  return sum;
}
