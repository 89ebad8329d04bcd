// Each gauge of a process or stage in docs/reference/limits.md is there, and moves; others say whose they are.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Consumer,
  Process,
  Producer,
  ProducerConsumer,
  child,
  consumerSupervisor,
  name,
  partitionDispatcher,
  sleep,
  startSupervisor,
  topology,
  type TopologyNode,
} from "sluice";
import { simulate } from "sluice/testing";
import { quietly, range } from "./probing.ts";

const documented = [
  ...new Set(
    readFileSync(new URL("../../docs/reference/limits.md", import.meta.url), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .flatMap(
        (line) =>
          /^ `((?:node|figures)\.\w+)`(?: of the reader)? *$/.exec(line.split("|")[4]!)?.[1] ?? [],
      ),
  ),
].toSorted();

class Source extends Producer<number> {
  push(events: number[]): void {
    this.emit(events);
  }
  give(events: number[]): Promise<void> {
    return this.offer(events);
  }
}

class Pass extends ProducerConsumer<number, number> {
  protected override async handleEvents(events: readonly number[]): Promise<readonly number[]> {
    // The first takes longest.
    await sleep(events.includes(0) ? 100 : 10);
    return events;
  }
}

class Idle extends Consumer<number> {
  protected override handleSubscribe(): "manual" {
    return "manual";
  }
  protected override handleEvents(): void {}
}

class Slow extends Consumer<number> {
  protected override handleEvents(): Promise<void> {
    return sleep(5);
  }
}

class Busy extends Process {
  async work(ms: number): Promise<void> {
    await sleep(ms, new AbortController().signal);
  }
  beside(): void {
    this.self.task(
      ({ signal }) => sleep(50, signal),
      () => {},
    );
  }
  crash(): void {
    throw new Error("no");
  }
}

const source = name<Source>("source");
const divided = name<Source>("divided");
const ordered = name<Pass>("ordered");
const accumulating = name<Source>("accumulating");
const never = new Promise<void>(() => {});

const children = () => ({
  source: child(Source, { name: source, bufferSize: 2 }),
  ordered: child(Pass, {
    name: ordered,
    concurrency: 3,
    order: "ordered",
    subscribeTo: [{ to: source, maxDemand: 6, minDemand: 5 }],
  }),
  behind: child(Slow, { subscribeTo: [{ to: ordered, maxDemand: 4 }] }),
  divided: child(Source, {
    name: divided,
    dispatcher: partitionDispatcher<number>({ partitions: 2, hash: (n) => n % 2 }),
  }),
  even: child(Idle, { subscribeTo: [{ to: divided, partition: 0 }] }),
  odd: child(Slow, { subscribeTo: [{ to: divided, partition: 1, maxDemand: 10 }] }),
  accumulating: child(Source, { name: accumulating, demand: "accumulate" }),
  workers: consumerSupervisor<number>(() => never, {
    restart: "temporary",
    shutdown: 0,
    subscribeTo: [{ to: accumulating, maxDemand: 2 }],
  }),
  busy: child(Busy, { shutdown: 5 }),
  crashing: child(Busy),
});

describe("docs/reference/limits.md", () => {
  it("names gauges that are there, and each of them moves", async () => {
    expect(documented.length).toBeGreaterThan(10);
    await simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        await using app = await startSupervisor({ strategy: "one_for_one", children: children() });
        const highest = new Map<string, number>();
        const seen = (node: TopologyNode): void => {
          const { figures, mailbox, tasks, restarts, zombies } = node;
          const note = (gauge: string, value: number): void =>
            void highest.set(gauge, Math.max(highest.get(gauge) ?? 0, value));
          for (const [figure, value] of Object.entries(figures)) note(`figures.${figure}`, value);
          for (const [key, value] of Object.entries({ mailbox, tasks, restarts, zombies }))
            note(`node.${key}`, value);
        };
        const look = (): void => topology(app).nodes.forEach(seen);
        await advance(1);
        look();
        app.children.source.cast.push(range(6));
        app.children.source.cast.push([6, 7]);
        app.children.source.cast.give([8]);
        app.children.divided.cast.push(range(10));
        for (const _ of range(3)) app.children.busy.cast.work(200);
        app.children.crashing.cast.beside();
        for (let at = 0; at < 20; at++) {
          await advance(1);
          look();
        }
        app.children.crashing.cast.crash();
        await app.call.terminateChild("busy");
        for (let at = 0; at < 150; at++) {
          await advance(2);
          look();
        }
        const missing = documented.filter((gauge) => (highest.get(gauge) ?? 0) === 0);
        expect(missing).toEqual([]);
        // At rest, what was in hand is not any more.
        const { nodes } = topology(app);
        const sum = (of: (node: TopologyNode) => number): number =>
          nodes.reduce((total, node) => total + of(node), 0);
        expect(sum(({ mailbox, tasks, zombies }) => mailbox + tasks + zombies)).toBe(0);
      },
      { seeds: 5 },
    );
  });

  it("names every gauge of a stage but the counts", async () => {
    const named: string[] = [];
    await simulate(
      async () => {
        using _quiet = quietly();
        await using app = await startSupervisor({ strategy: "one_for_one", children: children() });
        const counts = ["done", "failed", "dropped"];
        for (const { figures } of topology(app).nodes)
          for (const figure of Object.keys(figures))
            if (!counts.includes(figure)) named.push(`figures.${figure}`);
      },
      { seeds: 1 },
    );
    expect(named).toContain("figures.reordering");
    expect(named.filter((gauge) => !documented.includes(gauge))).toEqual([]);
  });
});
