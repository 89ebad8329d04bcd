import { describe, expect, it } from "vitest";
import {
  Consumer,
  Producer,
  broadcastDispatcher,
  child,
  demandDispatcher,
  fairDispatcher,
  keyedDispatcher,
  name,
  partitionDispatcher,
  setDemandMode,
  sleep,
  startSupervisor,
  type DemandMode,
  type DispatchTerms,
  type Dispatcher,
} from "sluice";
import { simulate } from "sluice/testing";
import { quietly } from "../stage/probing.ts";

const workers = 3;
const keyOf = (n: number): number => n % 7;

class Source extends Producer<number> {
  readonly #count: number;
  #next = 0;
  constructor(count: number) {
    super();
    this.#count = count;
  }
  override handleDemand(demand: number): readonly number[] {
    return Array.from({ length: Math.min(demand, this.#count - this.#next) }, () => this.#next++);
  }
}

/** What happened to the events, over all incarnations. */
interface Journal {
  readonly seen: number[];
  readonly atWork: Map<number, object>;
  overlaps: number;
}

class Sink extends Consumer<number> {
  readonly #journal: Journal;
  constructor(journal: Journal) {
    super();
    this.#journal = journal;
  }
  override async handleEvents(events: readonly number[]): Promise<void> {
    const { atWork, seen } = this.#journal;
    for (const event of events) {
      const key = keyOf(event);
      if (atWork.has(key)) this.#journal.overlaps++;
      atWork.set(key, this);
      await sleep(1, this.self.signal);
      atWork.delete(key);
      seen.push(event);
    }
  }
}

const source = name<Source>("source");

interface Row {
  readonly dispatcher: Dispatcher<number>;
  readonly terms?: (worker: number) => DispatchTerms<number>;
  readonly copies?: number;
  readonly serial?: boolean;
}

const rows: Readonly<Record<string, Row>> = {
  demand: { dispatcher: demandDispatcher({ shuffle: true }) },
  broadcast: { dispatcher: broadcastDispatcher(), copies: workers },
  partition: {
    dispatcher: partitionDispatcher({ partitions: workers, maxQueue: 5 }),
    terms: (partition) => ({ partition }),
  },
  keyed: { dispatcher: keyedDispatcher({ key: keyOf, maxQueue: 5 }), serial: true },
  fair: { dispatcher: fairDispatcher(), terms: (worker) => ({ weight: worker + 1 }) },
};

const tree = (journal: Journal, { dispatcher, terms }: Row, count: number, demand: DemandMode) =>
  startSupervisor({
    strategy: "rest_for_one",
    maxRestarts: 1_000_000,
    children: {
      source: child(Source, { name: source, args: [count], demand, dispatcher }),
      ...Object.fromEntries(
        Array.from({ length: workers }, (_, worker) => {
          const subscription = { to: source, maxDemand: 4, ...terms?.(worker) };
          return [
            `sink-${worker}`,
            child(Sink, { args: [journal], subscribeTo: [subscription] }),
          ] as const;
        }),
      ),
    },
  });

const journal = (): Journal => ({ seen: [], atWork: new Map(), overlaps: 0 });

describe.each(Object.entries(rows))("a pipeline with a %s dispatcher", (_kind, row) => {
  it("R12, R14: delivers everything, whatever runs first", async () => {
    const { seeds } = await simulate(
      async ({ advance, quiet }) => {
        const all = journal();
        await using _tree = await tree(all, row, 300, "accumulate");
        await quiet();
        // G87: all are there before the first event.
        setDemandMode(source, "forward");
        await advance(3_000);
        const each = Array.from({ length: 300 }, (_, n) => n);
        const copies = Array.from({ length: row.copies ?? 1 }, () => each).flat();
        expect(all.seen.toSorted((a, b) => a - b)).toEqual(copies.toSorted((a, b) => a - b));
        if (row.serial === true) expect(all.overlaps).toBe(0);
      },
      { seeds: 10 },
    );
    expect(seeds).toBe(10);
  });

  it("R1, R14: goes on after crashes and slow consumers; nobody gets more than was asked for", async () => {
    using _silent = quietly();
    const { seeds } = await simulate(
      async ({ advance, calm }) => {
        const all = journal();
        await using _tree = await tree(all, row, Infinity, "forward");
        await advance(150);
        calm();
        all.seen.length = 0;
        await advance(500);
        expect(all.seen.length).toBeGreaterThan(300);
      },
      { seeds: 20, faults: { crash: 0.02, slow: { probability: 0.05, maxMs: 20 } } },
    );
    expect(seeds).toBe(20);
  });
});
