import { describe, expect, it } from "vitest";
import { sleep, start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import {
  consumer,
  filter,
  flatMap,
  map,
  producer,
  type ProducerConsumerClass,
} from "./shorthands.ts";

/** What becomes of 1 … 6. */
async function through<Out>(stage: ProducerConsumerClass<number, Out>): Promise<readonly Out[]> {
  let out: readonly Out[] = [];
  await simulate(
    async ({ advance }) => {
      const source = probeProducer<number>();
      const seen = probeConsumer<Out>();
      await using upstream = await start(source.stage);
      await using middle = await start(stage, { subscribeTo: [{ to: upstream, maxDemand: 4 }] });
      await using _consumer = await start(seen.stage, { subscribeTo: [middle] });
      source.emit([1, 2, 3]);
      source.emit([4, 5, 6]);
      await advance(1_000);
      out = seen.batches.flat();
    },
    { seeds: 5 },
  );
  return out;
}

const later = async <T>(value: T): Promise<T> => {
  await sleep(1);
  return value;
};

describe("map", () => {
  it("makes one of one, in order", async () => {
    expect(await through(map((n) => n * 2))).toEqual([2, 4, 6, 8, 10, 12]);
  });
  it("awaits a promise before the next event, whichever gives one", async () => {
    expect(await through(map((n) => later(n * 2)))).toEqual([2, 4, 6, 8, 10, 12]);
    expect(await through(map((n) => (n % 2 === 0 ? later(n) : n)))).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("filter", () => {
  it("keeps what holds", async () => {
    expect(await through(filter((n) => n % 2 === 0))).toEqual([2, 4, 6]);
    expect(await through(filter((n) => later(n > 3)))).toEqual([4, 5, 6]);
  });
});

describe("flatMap", () => {
  it("makes any number of one, none included", async () => {
    expect(
      await through(flatMap((n) => Array.from({ length: n - 4 < 0 ? 0 : n - 4 }, () => n))),
    ).toEqual([5, 6, 6]);
    expect(await through(flatMap(() => {}))).toEqual([]);
    expect(await through(flatMap((n) => later([n, n])))).toHaveLength(12);
  });
});

describe("producer and consumer", () => {
  it("are given the demand, the batch, where it is from, and a signal", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen: unknown[] = [];
        const once = producer((demand, { signal }) => {
          seen.push(demand, signal.aborted);
          return seen.length === 2 ? [1, 2] : undefined;
        });
        const sink = consumer((events: readonly number[], context) => {
          seen.push(events, context.from.ref.pid, context.signal.aborted);
        });
        await using source = await start(once);
        await using _sink = await start(sink, {
          subscribeTo: [{ to: source, maxDemand: 2, minDemand: 0 }],
        });
        await quiet();
        expect(seen).toEqual([2, false, [1, 2], source.pid, false, 2, false]);
      },
      { seeds: 5 },
    );
  });
});

describe("a shorthand whose function fails", () => {
  it.each([
    ["map", map(() => Promise.reject(new RangeError("no")))],
    [
      "filter",
      filter(() => {
        throw new RangeError("no");
      }),
    ],
  ])("%s crashes its stage", async (_name, stage) => {
    await simulate(
      async () => {
        using _silent = attach("sluice.log", () => {});
        const source = probeProducer<unknown>();
        await using upstream = await start(source.stage);
        const failing = await start(stage as ProducerConsumerClass<unknown, unknown>, {
          subscribeTo: [upstream],
        });
        await using _consumer = await start(probeConsumer().stage, {
          subscribeTo: [{ to: failing, cancel: "temporary" }],
        });
        source.emit([1]);
        expect(await failing.exited).toEqual({ crash: new RangeError("no") });
      },
      { seeds: 5 },
    );
  });
});
