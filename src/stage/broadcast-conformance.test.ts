import { describe, expect, it } from "vitest";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import {
  Counter,
  Doubler,
  Forwarder,
  Queue,
  Sleeper,
  batches,
  schedules,
  type Reports,
} from "../../test/stage/stages.ts";
import { start, type Running } from "../process/index.ts";
import { broadcastDispatcher } from "./broadcast-dispatcher.ts";
import { bufferedCount, setDemandMode } from "./demand-mode.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

const broadcast = { dispatcher: broadcastDispatcher() };
const twice = (numbers: readonly number[]): number[] => numbers.flatMap((n) => [n, n]);
const tens = (count: number): number[][] =>
  Array.from({ length: count }, (_, index) => range(10, index * 10));

/** Two consumers that report, with windows of 10 and 20. */
async function audience(
  to: Running<Counter> | Running<Doubler>,
  reports: readonly [Reports, Reports],
): Promise<Running<Forwarder<number>>[]> {
  return Promise.all(
    reports.map((report, index) =>
      start(Forwarder<number>, {
        args: [report],
        subscribeTo: [{ to, maxDemand: 10 * (index + 1), minDemand: 0, cancel: "temporary" }],
      }),
    ),
  );
}

describe("a broadcast from a producer", () => {
  it(
    "S6: to windows of 10 and 20: both get the same lists of 10",
    schedules(async ({ quiet }) => {
      const reports: [Reports, Reports] = [[], []];
      await using counter = await start(Counter, {
        args: [40],
        demand: "accumulate",
        ...broadcast,
      });
      const consumers = await audience(counter, reports);
      await quiet();
      setDemandMode(counter, "forward");
      await quiet();
      expect(batches(reports[0])).toEqual(tens(4));
      expect(batches(reports[1])).toEqual(tens(4));
      for (const consumer of consumers) await consumer.stop();
    }),
  );

  it(
    "S7: one that never asks holds all back, and its cancel lets them go",
    schedules(async ({ quiet }) => {
      const reports: [Reports, Reports] = [[], []];
      const hand = byHand<number>();
      await using counter = await start(Counter, {
        args: [20],
        demand: "accumulate",
        ...broadcast,
      });
      await using silent = await start(hand.stage);
      const from = await subscribe(silent, { to: counter, cancel: "temporary" });
      const consumers = await audience(counter, reports);
      await quiet();
      setDemandMode(counter, "forward");
      await quiet();
      expect([...batches(reports[0]), ...batches(reports[1])]).toEqual([]);
      from.cancel();
      await quiet();
      expect(batches(reports[0])).toEqual(tens(2));
      expect(batches(reports[1])).toEqual(tens(2));
      expect(hand.batches).toEqual([]);
      for (const consumer of consumers) await consumer.stop();
    }),
  );

  it(
    "S8: two windows, 10 and 20, that sleep over their first batch: 10 are demanded, once",
    schedules(async ({ quiet }) => {
      const told: Reports = [];
      const slept: [Reports, Reports] = [[], []];
      await using queue = await start(Queue<number>, { args: [told], ...broadcast });
      await using _one = await start(Sleeper, {
        args: [slept[0]],
        subscribeTo: [{ to: queue, maxDemand: 10, minDemand: 0 }],
      });
      await using _two = await start(Sleeper, {
        args: [slept[1]],
        subscribeTo: [{ to: queue, maxDemand: 20, minDemand: 0 }],
      });
      await quiet();
      await queue.call.queue(range(10));
      await quiet();
      expect(slept.map(batches)).toEqual([[range(10)], [range(10)]]);
      const demands = told.filter((report) => (report as unknown[])[0] === "demand");
      expect(demands).toEqual([["demand", 10]]);
    }),
  );

  it(
    "S19: what is pushed while it accumulates and nobody is there comes list by list to those who come",
    schedules(async ({ quiet }) => {
      const reports: [Reports, Reports] = [[], []];
      await using queue = await start(Queue<number>, broadcast);
      for (const consumer of await audience(queue as never, [[], []])) await consumer.stop();
      setDemandMode(queue, "accumulate");
      for (const event of [1, 2, 3, 4]) queue.cast.queue([event]);
      const consumers = await audience(queue as never, reports);
      await quiet();
      expect([...batches(reports[0]), ...batches(reports[1])]).toEqual([]);
      setDemandMode(queue, "forward");
      await quiet();
      expect(reports.map(batches)).toEqual([
        [[1], [2], [3], [4]],
        [[1], [2], [3], [4]],
      ]);
      expect(bufferedCount(queue)).toBe(0);
      for (const consumer of consumers) await consumer.stop();
    }),
  );

  it(
    "S50: a subscription that the dispatcher refuses hurts neither side: each keeps the one it has",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const reports: Reports = [];
      await using queue = await start(Queue<number>, broadcast);
      await using consumer = await start(Forwarder<number>, { args: [reports] });
      const first = await subscribe(consumer, { to: queue, maxDemand: 3 });
      for (let again = 0; again < 2; again++) {
        await subscribe(consumer, { to: queue, maxDemand: 7 });
        await quiet();
      }
      expect(topology(consumer).edges).toMatchObject([{ maxDemand: 3 }]);
      await queue.call.queue([1, 2]);
      await quiet();
      expect(batches(reports)).toEqual([[1, 2]]);
      expect(first.ref.pid).toBe(queue.pid);
    }),
  );
});

describe("a broadcast from a producer-consumer", () => {
  it(
    "S15, S16: to windows of 10 and 20 the same lists; one that never asks holds all back until it cancels",
    schedules(async ({ quiet }) => {
      const reports: [Reports, Reports] = [[], []];
      const hand = byHand<number>();
      await using counter = await start(Counter, { args: [20] });
      await using doubler = await start(Doubler, { ...broadcast });
      await using silent = await start(hand.stage);
      const from = await subscribe(silent, { to: doubler, cancel: "temporary" });
      const consumers = await audience(doubler, reports);
      await subscribe(doubler, { to: counter, maxDemand: 5, minDemand: 0, cancel: "temporary" });
      await quiet();
      expect(reports.flatMap(batches)).toEqual([]);
      from.cancel();
      await quiet();
      const lists = batches(reports[0]);
      expect(lists.flat()).toEqual(twice(range(20)));
      expect(lists.every(({ length }) => length <= 10)).toBe(true);
      expect(batches(reports[1])).toEqual(lists);
      expect(hand.batches).toEqual([]);
      for (const consumer of consumers) await consumer.stop();
    }),
  );
});
