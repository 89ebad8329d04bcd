import { describe, expect, it } from "vitest";
import { start } from "../process/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { Jobs } from "../../test/stage/jobs.ts";
import { quietly, range } from "../../test/stage/probing.ts";
import { concurrencyOf, leastFor } from "./concurrency.ts";
import { consumer, forEach } from "./shorthands.ts";
import { topology } from "./topology.ts";

const seeds = 10;
const key = (event: number): number => event % 3;

describe("concurrency", () => {
  it.each([
    [{ concurrency: 0 }, "concurrency", "0", "a whole number of at least 1"],
    [{ concurrency: 1.5 }, "concurrency", "1.5", "a whole number of at least 1"],
    [{ concurrency: Infinity }, "concurrency", "Infinity", "a whole number of at least 1"],
    [{ concurrency: 2, batchSize: 0 }, "batchSize", "0", "a whole number of at least 1"],
    [{ concurrency: 2, order: "sorted" }, "order", '"sorted"', '"unordered", "keyed"'],
    [{ concurrency: 2, order: "ordered" }, "order", '"ordered"', '"unordered", "keyed"'],
    [
      { concurrency: 2, order: "keyed" },
      "key",
      "undefined",
      'a function of an event, with the order "keyed"',
    ],
    [{ concurrency: 2, key: 1 }, "key", "1", "a function of an event"],
    [
      { concurrency: 2, key, order: "unordered" },
      "order",
      '"unordered"',
      '"keyed", or nothing, with a key',
    ],
    [{ batchSize: 2 }, "batchSize", "2", "nothing, without the option concurrency"],
    [{ order: "keyed" }, "order", '"keyed"', "nothing, without the option concurrency"],
    [{ key }, "key", "function key", "nothing, without the option concurrency"],
  ])(
    "G6: %o is refused at start by name, value and what is expected",
    async (given, option, got, expected) => {
      using _quiet = quietly();
      await simulate(
        async () => {
          await expect(
            start(
              forEach<number>(() => {}),
              given as object,
            ),
          ).rejects.toMatchObject({
            code: "SLUICE_START_FAILED",
            details: {
              reason: {
                crash: { code: "SLUICE_INVALID_OPTION", details: { option, got, expected } },
              },
            },
          });
        },
        { seeds: 1 },
      );
    },
  );

  it("left out, the stage is serial; a key implies the order keyed", () => {
    expect(concurrencyOf({}, ["unordered", "keyed"])).toBeUndefined();
    expect(concurrencyOf({ concurrency: 1, key }, ["unordered", "keyed"])).toEqual({
      places: 1,
      batchSize: 1,
      order: "keyed",
      key,
    });
    expect(concurrencyOf({ concurrency: 3 }, ["ordered", "unordered"])?.order).toBe("ordered");
  });

  it("minDemand defaults to half of the window where that keeps all places busy, else to all but one", () => {
    const least = leastFor({ places: 4, batchSize: 2, order: "unordered", key: undefined });
    expect([1, 4, 15, 16, 17, 1_000].map(least)).toEqual([0, 3, 14, 8, 8, 500]);
  });
});

describe("a consumer with work in flight", () => {
  it("begins at most so many at once, over all its subscriptions, and gives demand back per finished event", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        const one = probeProducer<number>();
        const other = probeProducer<number>();
        await using first = await start(one.stage);
        await using second = await start(other.stage);
        await using stage = await start(jobs.consumer(), {
          concurrency: 3,
          subscribeTo: [
            { to: first, maxDemand: 4 },
            { to: second, maxDemand: 4 },
          ],
        });
        one.emit(range(4));
        other.emit(range(4, 10));
        await quiet();
        expect([jobs.open.length, jobs.most]).toEqual([3, 3]);
        expect(topology(stage).nodes[0]!.figures).toEqual({
          asked: 0,
          waiting: 5,
          running: 3,
          done: 0,
        });
        // The slowest of them holds up nothing but its own place.
        const [slow, ...others] = jobs.open as [number, ...number[]];
        jobs.end(...others);
        await quiet();
        expect(jobs.open.length).toBe(3);
        while (jobs.open.length > 1) {
          jobs.end(...jobs.open.filter((event) => event !== slow));
          await quiet();
        }
        expect([jobs.open, jobs.most]).toEqual([[slow], 3]);
        const asked = [...one.asks, ...other.asks].reduce((sum, count) => sum + count);
        expect(asked).toBe(8 + 7);
        expect(topology(stage).nodes[0]!.figures).toMatchObject({ asked: 7, running: 1, done: 7 });
        jobs.end(slow);
        await quiet();
        expect(jobs.ended.toSorted((a, b) => a - b)).toEqual([...range(4), ...range(4, 10)]);
      },
      { seeds },
    ));

  it("takes batches of what waits, up to batchSize", () =>
    simulate(
      async ({ quiet }) => {
        const sizes: number[] = [];
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(
          consumer<number>((events) => void sizes.push(events.length)),
          { concurrency: 2, batchSize: 4, subscribeTo: [{ to: producer, maxDemand: 10 }] },
        );
        source.emit(range(10));
        await quiet();
        expect(sizes).toEqual([4, 4, 2]);
        expect(source.asks.reduce((sum, count) => sum + count)).toBe(20);
      },
      { seeds },
    ));

  it("keyed: one event of a key at a time, in order, the keys beside each other, whichever they are", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(jobs.consumer(), {
          concurrency: 2,
          key,
          subscribeTo: [{ to: producer, maxDemand: 10 }],
        });
        source.emit([0, 3, 6, 1, 4, 2]);
        await quiet();
        expect(jobs.open).toEqual([0, 1]);
        jobs.end(1);
        await quiet();
        // The third key was in line before the second event of the second one.
        expect(jobs.open).toEqual([0, 2]);
        jobs.end(0);
        await quiet();
        expect(jobs.open).toEqual([2, 4]);
        jobs.end(2, 4);
        await quiet();
        expect(jobs.open).toEqual([3]);
        jobs.end(3);
        await quiet();
        jobs.end(6);
        await quiet();
        expect([jobs.begun, jobs.most]).toEqual([[0, 1, 2, 4, 3, 6], 2]);
      },
      { seeds },
    ));

  it("keyed with batchSize: what waits of a key goes together", () =>
    simulate(
      async ({ quiet }) => {
        const batches: number[][] = [];
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(
          consumer<number>(async (events) => void batches.push([...events])),
          { concurrency: 8, batchSize: 2, key, subscribeTo: [{ to: producer, maxDemand: 10 }] },
        );
        source.emit([0, 3, 1, 6, 9]);
        await quiet();
        expect(batches).toEqual([[0, 3], [1], [6, 9]]);
      },
      { seeds },
    ));

  it("a key function that throws ends the stage as a callback that throws", () =>
    simulate(
      async () => {
        using _quiet = quietly();
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        const boom = new Error("no key");
        const stage = await start(
          forEach<number>(() => {}),
          {
            concurrency: 2,
            key: () => {
              throw boom;
            },
            subscribeTo: [producer],
          },
        );
        source.emit([1]);
        expect(await stage.exited).toEqual({ crash: boom });
      },
      { seeds },
    ));
});
