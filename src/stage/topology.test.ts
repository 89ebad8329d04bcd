import { describe, expect, it } from "vitest";
import {
  Process,
  child,
  name,
  names,
  start,
  startSupervisor,
  supervisor,
} from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { consumerSupervisor } from "./consumer-supervisor.ts";
import { map, type ProducerConsumerClass } from "./shorthands.ts";
import type { Producer } from "./producer.ts";
import type { ProducerConsumer } from "./producer-consumer.ts";
import { topology } from "./topology.ts";

const source = name<Producer<number>>("source");
const doubled = names<ProducerConsumer<number, number>>("doubled");
const double: ProducerConsumerClass<number, number> = map((n) => n * 2);

class Linked extends Process {}
class Parent extends Process {
  protected override async init(): Promise<void> {
    await this.self.startLinked(Linked);
  }
}

describe("topology", () => {
  it("G28: tells who runs below whom, who subscribed to whom, and how much is where", async () => {
    await simulate(
      async ({ quiet }) => {
        const probe = probeProducer<number>();
        const seen = probeConsumer<number>();
        seen.ask(0);
        const { promise: forever } = Promise.withResolvers<void>();
        const app = await startSupervisor({
          strategy: "rest_for_one",
          children: {
            source: child(probe.stage, { name: source }),
            middle: supervisor({
              strategy: "one_for_one",
              children: {
                double: child(double, {
                  name: doubled("a"),
                  subscribeTo: [{ to: source, maxDemand: 4, minDemand: 3 }],
                }),
              },
            }),
            seen: child(seen.stage, { subscribeTo: [source] }),
            work: consumerSupervisor<number>(() => forever, {
              restart: "temporary",
              shutdown: 0,
              subscribeTo: [{ to: doubled("a"), maxDemand: 2 }],
            }),
          },
        });
        await quiet();
        probe.emit([1, 2, 3, 4]);
        await quiet();
        const { nodes, edges } = topology(app);
        const pid = (label: string): string => nodes.find((node) => node.label === label)!.pid;
        expect(nodes.map(({ label, kind, parent }) => [label, kind, parent])).toEqual([
          ["supervisor", "supervisor", undefined],
          ["source", "producer", pid("supervisor")],
          ["middle", "supervisor", pid("supervisor")],
          ["double", "producer_consumer", pid("middle")],
          ["seen", "consumer", pid("supervisor")],
          ["work", "consumer", pid("supervisor")],
        ]);
        const figures = (label: string): object =>
          nodes.find((node) => node.label === label)!.figures;
        expect(figures("source")).toEqual({
          asked: 4,
          buffered: 0,
          offers: 0,
          done: 4,
          dropped: 0,
        });
        expect(figures("double")).toEqual({
          asked: 0,
          waiting: 0,
          buffered: 2,
          offers: 0,
          running: 0,
          done: 4,
          dropped: 0,
        });
        expect(figures("seen")).toEqual({ asked: 0, waiting: 0, running: 0, done: 0 });
        expect(figures("work")).toEqual({ asked: 0, waiting: 0, running: 2, done: 0, failed: 0 });
        expect(edges).toEqual([
          { from: pid("source"), to: pid("double"), maxDemand: 4, pending: 4, paused: false },
          { from: pid("source"), to: pid("seen"), maxDemand: 1_000, pending: 0, paused: false },
          { from: pid("double"), to: pid("work"), maxDemand: 2, pending: 2, paused: false },
        ]);
        await app.stop();
      },
      { seeds: 20 },
    );
  });

  it("tells how often each was started again", async () => {
    class Fragile extends Process {
      crash(): void {
        throw new Error("on purpose");
      }
    }
    using _silent = attach("sluice.log", () => {});
    await simulate(
      async ({ quiet }) => {
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: { a: child(Fragile), b: child(Fragile) },
        });
        for (let n = 0; n < 2; n++) {
          app.children.a.cast.crash();
          await quiet();
        }
        const restarts = topology(app).nodes.map((node) => [node.label, node.restarts]);
        expect(Object.fromEntries(restarts)).toEqual({ supervisor: 0, a: 2, b: 0 });
      },
      { seeds: 3 },
    );
  });

  it("draws it as a Mermaid flowchart", async () => {
    await simulate(
      async () => {
        await using app = await startSupervisor({
          strategy: "rest_for_one",
          children: {
            source: child(probeProducer<number>().stage, { name: source }),
            'the "double"': child(double, { name: doubled("a"), subscribeTo: [source] }),
            work: consumerSupervisor<number>(() => {}, {
              restart: "temporary",
              subscribeTo: [{ to: doubled("a"), maxDemand: 2 }],
            }),
          },
        });
        expect(topology(app).mermaid.split("\n")).toEqual([
          "flowchart LR",
          '  n0{{"supervisor"}}',
          '  n1(["source"])',
          '  n2["the #quot;double#quot;"]',
          '  n3[/"work"/]',
          "  n0 -.- n1",
          "  n0 -.- n2",
          "  n0 -.- n3",
          "  n1 -->|1000| n2",
          "  n2 -->|2| n3",
        ]);
      },
      { seeds: 3 },
    );
  });

  it("of a plain process shows it and what it started; of nobody nothing", async () => {
    await simulate(
      async ({ quiet }) => {
        const parent = await start(Parent);
        expect(topology(parent).nodes.map(({ kind }) => kind)).toEqual(["process", "process"]);
        await parent.stop();
        await quiet();
        for (const nobody of [parent, source])
          expect(topology(nobody)).toEqual({ nodes: [], edges: [], mermaid: "flowchart LR" });
      },
      { seeds: 3 },
    );
  });

  it("does not wait for a process that is busy", async () => {
    await simulate(
      async ({ quiet }) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        class Busy extends Process {
          work(): Promise<void> {
            return promise;
          }
        }
        await using busy = await start(Busy);
        busy.cast.work();
        busy.cast.work();
        await quiet();
        expect(topology(busy).nodes[0]).toMatchObject({ kind: "process", mailbox: 1, figures: {} });
        resolve();
      },
      { seeds: 3 },
    );
  });
});
