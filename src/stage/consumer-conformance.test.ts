import { describe, expect, it } from "vitest";
import { byHand, cellOf, quietly, range } from "../../test/stage/probing.ts";
import {
  Counter,
  Doubler,
  Forwarder,
  Queue,
  batches,
  schedules,
  type Reports,
} from "../../test/stage/stages.ts";
import { Process, child, name, start, startSupervisor, type Running } from "../process/index.ts";
import type { ExitReason } from "../support/index.ts";
import { attach } from "../telemetry/index.ts";
import { Consumer } from "./consumer.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { ask, events, transmit } from "./protocol.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

/** The lines of the log while it is open. */
function logs(): { readonly lines: string[] } & Disposable {
  const lines: string[] = [];
  const attached = attach("sluice.log", ({ level, message }) => lines.push(`${level}: ${message}`));
  return { lines, [Symbol.dispose]: () => attached[Symbol.dispose]() };
}

describe("the demand of a consumer", () => {
  it.each([
    ["S2: 1000/500, the default", {}, 1_000, [500, 500]],
    ["S3: 100/80", { maxDemand: 100, minDemand: 80 }, 100, [20, 20, 20, 20, 20]],
    ["S4: 100/20", { maxDemand: 100, minDemand: 20 }, 280, [80, 20, 80, 80, 20]],
    ["S5: 1/0", { maxDemand: 1, minDemand: 0 }, 5, [1, 1, 1, 1, 1]],
  ])("%s: batches of these sizes, in order", (_row, terms, count, sizes) =>
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      await using counter = await start(Counter, { args: [count] });
      await using _consumer = await start(Forwarder<number>, {
        args: [reports],
        subscribeTo: [{ to: counter, ...terms }],
      });
      await quiet();
      expect(batches(reports).flat()).toEqual(range(count));
      expect(batches(reports).map(({ length }) => length)).toEqual(sizes);
    })(),
  );

  it.each([
    ["S56: by hand, subscribed while it runs", false],
    ["S57: by hand from its start", true],
  ])("%s: 50 asked for, 50 come, and 50 more", (_row, atStart) =>
    schedules(async ({ quiet }) => {
      const hand = byHand<number>();
      await using counter = await start(Counter);
      await using consumer = await start(hand.stage, { subscribeTo: atStart ? [counter] : [] });
      if (!atStart) await subscribe(consumer, { to: counter });
      await quiet();
      expect(hand.batches).toEqual([]);
      hand.ask(50);
      await quiet();
      expect(hand.batches).toEqual([range(50)]);
      hand.ask(50);
      await quiet();
      expect(hand.batches).toEqual([range(50), range(50, 50)]);
    })(),
  );

  it(
    "G47, G53: subscribes itself to more in its own init, each with a window of its own, also twice to one producer",
    schedules(async ({ quiet }) => {
      const counters = [name<Counter>("one"), name<Counter>("two")] as const;
      const seen: number[] = [];
      class Eager extends Consumer<number> {
        protected override init(): void {
          for (const [to, maxDemand] of [
            [counters[0], 2],
            [counters[1], 3],
            [counters[1], 4],
          ] as const)
            this.self.continue(() => void subscribe(eager, { to, maxDemand }));
        }
        protected override handleEvents(numbers: readonly number[]): void {
          seen.push(...numbers);
        }
      }
      const eager = name<Eager>("eager");
      await using _one = await start(Counter, { args: [5], name: counters[0] });
      await using _two = await start(Counter, { args: [7], name: counters[1] });
      await using running = await start(Eager, { name: eager });
      await quiet();
      expect(topology(running).edges.map(({ maxDemand }) => maxDemand)).toEqual([2, 3, 4]);
      expect(seen.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]);
    }),
  );
});

/** Subscribes a consumer that reports, and returns what both sides know. */
async function joined(cancel: "permanent" | "transient" | "temporary"): Promise<{
  readonly reports: Reports;
  readonly queue: Running<Queue<number>>;
  readonly consumer: Running<Forwarder<number>>;
  readonly from: Awaited<ReturnType<typeof subscribe>>;
}> {
  const reports: Reports = [];
  const queue = await start(Queue<number>);
  const consumer = await start(Forwarder<number>, { args: [reports] });
  const from = await subscribe(consumer, { to: queue, cancel });
  return { reports, queue, consumer, from };
}

describe("the end of a subscription, for its consumer", () => {
  const oops = { shutdown: "oops" };
  const crash = { crash: "oops" };
  it.each([
    ["S72: temporary", "temporary", crash, true],
    ["S73: transient, in order", "transient", oops, true],
    ["S74: transient, else", "transient", crash, false],
    ["S75: permanent", "permanent", oops, false],
  ] as const)(
    "%s, cancelled: handleCancel first, then it lives on or ends with the raw reason",
    (_row, cancel, reason, survives) =>
      schedules(async ({ quiet }) => {
        using log = logs();
        const { reports, queue, consumer, from } = await joined(cancel);
        from.cancel(reason);
        await quiet();
        expect(reports.slice(1, 2)).toEqual([["cancel", reason, from.tag]]);
        const line = `info: ${consumer.pid} ends with its subscription to ${queue.pid}`;
        expect(log.lines.includes(line)).toBe(!survives);
        if (survives) await consumer.stop();
        else expect(await consumer.exited).toEqual(reason);
        await queue.stop();
      })(),
  );

  it.each([
    ["S76: temporary", "temporary", true],
    ["S77: transient", "transient", false],
    ["S78: permanent", "permanent", false],
  ] as const)(
    "%s, its producer killed: it hears of the down, then lives on or ends",
    (_row, cancel, survives) =>
      schedules(async ({ quiet }) => {
        using _silent = quietly();
        const { reports, queue, consumer, from } = await joined(cancel);
        await quiet();
        cellOf(queue).kill(crash);
        await quiet();
        expect(reports.slice(1, 2)).toEqual([["down", crash, from.tag]]);
        if (survives) await consumer.stop();
        else expect(await consumer.exited).toEqual(crash);
      })(),
  );

  it(
    "S80, G27: terminate runs with the reason",
    schedules(async () => {
      const { reports, queue, consumer, from } = await joined("permanent");
      from.cancel(oops);
      await consumer.exited;
      expect(reports.at(-1)).toEqual(["terminate", oops]);
      await queue.stop();
    }),
  );

  it(
    "G50: both sides are told the terms that belong to the dispatcher",
    schedules(async ({ quiet }) => {
      const told: unknown[] = [];
      class Host extends Queue<number> {
        protected override handleSubscribe(role: "producer" | "consumer", terms: object): void {
          told.push([role, (terms as { partition?: unknown }).partition]);
        }
      }
      class Guest extends Forwarder<number> {
        protected override handleSubscribe(role: "producer" | "consumer", terms: object): void {
          told.push([role, (terms as { partition?: unknown }).partition]);
        }
      }
      const open: Dispatcher<unknown> = {
        kind: "open",
        make: (context) => demandDispatcher().make(context),
      };
      await using host = await start(Host, { dispatcher: open });
      await using _guest = await start(Guest, { subscribeTo: [{ to: host, partition: "odd" }] });
      await quiet();
      expect(told).toEqual([
        ["producer", "odd"],
        ["consumer", "odd"],
      ]);
    }),
  );
});

describe("the callbacks of a consumer", () => {
  it(
    "S79, G26: the down of somebody else is its own affair",
    schedules(async ({ quiet }) => {
      const told: ExitReason[] = [];
      class Silent extends Process {}
      class Watching extends Forwarder<number> {
        watch(other: Running<Process>): void {
          this.self.monitor(other, (reason) => void told.push(reason));
        }
      }
      await using queue = await start(Queue<number>);
      await using watching = await start(Watching, { subscribeTo: [queue] });
      const silent = await start(Silent);
      await watching.call.watch(silent);
      await silent.stop("shutdown");
      await quiet();
      expect([told, topology(watching).edges.length]).toEqual([["shutdown"], 1]);
    }),
  );

  it(
    "S81, G18: events that it returns are thrown away and said so; its calls are still answered",
    schedules(async ({ quiet }) => {
      using log = logs();
      class Returning extends Consumer<number> {
        size(): number {
          return 7;
        }
        protected override handleEvents(numbers: readonly number[]): void {
          return numbers as never;
        }
      }
      await using queue = await start(Queue<number>);
      await using returning = await start(Returning, { subscribeTo: [queue] });
      await queue.call.queue([1, 2]);
      await quiet();
      expect(await returning.call.size()).toBe(7);
      expect(log.lines).toEqual([
        `error: ${returning.pid} is a consumer and returned 2 events: they are thrown away`,
      ]);
    }),
  );

  it(
    "S82, G28: it shows its producers, and what it waits for",
    schedules(async ({ quiet }) => {
      const queue = name<Queue<number>>("queue");
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          queue: child(Queue<number>, { name: queue }),
          consumer: child(Forwarder<number>, { subscribeTo: [{ to: queue, maxDemand: 5 }] }),
        },
      });
      await queue.call.queue([1]);
      await quiet();
      const { nodes, edges } = topology(app);
      expect(nodes[2]).toMatchObject({ kind: "consumer", figures: { asked: 4, done: 1 } });
      expect(edges).toMatchObject([
        { from: nodes[1]!.pid, to: nodes[2]!.pid, maxDemand: 5, pending: 4 },
      ]);
    }),
  );
});

describe("protocol messages that a consumer cannot place", () => {
  it(
    "S99, G59: it survives a message for producers, and says so",
    schedules(async ({ quiet }) => {
      using log = logs();
      const reports: Reports = [];
      await using consumer = await start(Forwarder<number>, { args: [reports] });
      transmit(cellOf(consumer), ask(1, 10));
      await consumer.call.note("alive");
      await quiet();
      expect(reports).toEqual(["alive"]);
      expect(log.lines).toEqual([
        `error: ${consumer.pid} is a consumer and got a message between stages of kind 17: ignored`,
      ]);
    }),
  );

  it(
    "S100, G58: events of an unknown subscription are let go",
    schedules(async ({ quiet }) => {
      using log = logs();
      const reports: Reports = [];
      await using consumer = await start(Forwarder<number>, { args: [reports] });
      await using doubler = await start(Doubler, { args: [reports] });
      for (const stage of [consumer, doubler]) cellOf(stage).send(events(-1, [1], 0));
      await consumer.call.note("alive");
      await quiet();
      expect([reports, log.lines]).toEqual([["alive"], []]);
    }),
  );
});
