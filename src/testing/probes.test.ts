import { describe, expect, it } from "vitest";
import { sleep, start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, probeProducer, type ConsumerProbe, type ProducerProbe } from "./probes.ts";
import { simulate } from "./simulate.ts";

describe("probeProducer", () => {
  it("emits what it is told, and writes down what it is asked for", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, maxDemand: 2 }],
        });
        source.emit([1, 2, 3]);
        expect(await seen.next()).toEqual([1]);
        expect(await seen.next()).toEqual([2]);
        expect(await seen.next()).toEqual([3]);
        await quiet();
        expect(source.asks).toEqual([2, 1, 1]);
        expect(seen.batches).toEqual([[1], [2], [3]]);
      },
      { seeds: 5 },
    );
  });

  it("that does not run emits nothing, and says so", async () => {
    await simulate(
      async () => {
        const source = probeProducer<number>();
        expect(() => source.emit([1])).toThrow(
          expect.objectContaining({ code: "SLUICE_NO_PROCESS" }),
        );
        const producer = await start(source.stage);
        await producer.stop();
        expect(() => source.emit([1])).toThrow(
          expect.objectContaining({ code: "SLUICE_NO_PROCESS" }),
        );
      },
      { seeds: 1 },
    );
  });
});

describe("probeConsumer", () => {
  it("hands its batches out in order, those to come included", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<string>();
        const seen = probeConsumer<string>();
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, { subscribeTo: [producer] });
        const [first, second] = [seen.next(), seen.next()];
        source.emit(["a"]);
        source.emit(["b"]);
        source.emit(["c"]);
        expect(await Promise.all([first, second, seen.next()])).toEqual([["a"], ["b"], ["c"]]);
        await quiet();
      },
      { seeds: 5 },
    );
  });

  it("asks by hand once it was told to", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        seen.ask(0);
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, { subscribeTo: [producer] });
        source.emit([1, 2, 3]);
        await quiet();
        expect(seen.batches).toEqual([]);
        seen.ask(2);
        await quiet();
        expect(seen.batches).toEqual([[1, 2]]);
        seen.ask(2);
        await quiet();
        expect([seen.batches, source.asks]).toEqual([[[1, 2], [3]], [1]]);
      },
      { seeds: 5 },
    );
  });

  it("ends its automatic demand in the middle of a window", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 3 }],
        });
        source.emit([1]);
        await quiet();
        seen.ask(0);
        await quiet();
        source.emit([2, 3, 4, 5, 6]);
        await quiet();
        expect(source.asks).toEqual([4, 1]);
        expect(seen.batches.flat()).toEqual([1, 2, 3, 4, 5]);
      },
      { seeds: 5 },
    );
  });
});

/** The failure of an expectation, in a simulation with `a`, `b`, `c` on their way. */
async function expecting(
  body: (probes: {
    readonly source: ProducerProbe<string>;
    readonly seen: ConsumerProbe<string>;
  }) => Promise<unknown>,
): Promise<void> {
  await simulate(
    async ({ advance }) => {
      using _silent = attach("sluice.log", () => {});
      const source = probeProducer<string>();
      const seen = probeConsumer<string>();
      seen.request(0);
      await using producer = await start(source.stage);
      await using _consumer = await start(seen.stage, {
        subscribeTo: [{ to: producer, cancel: "temporary" }],
      });
      await body({ source, seen });
      await advance(10_000);
    },
    { seeds: 5 },
  );
}

const unexpected = (expected: string, got: string): object =>
  expect.objectContaining({
    code: "SLUICE_UNEXPECTED",
    details: expect.objectContaining({ expected, got }) as object,
  }) as object;

describe("expectations", () => {
  it("of events: in order, whatever their batches, waited for in the time of the system", () =>
    expecting(async ({ source, seen }) => {
      seen.request(3);
      source.emit(["a", "b"]);
      await seen.expectNext("a");
      const later = seen.expectNext("b", "c");
      await sleep(2_900);
      source.emit(["c", "d"]);
      await later;
      await seen.expectNoMore();
      seen.request(1);
      await seen.expectNext("d");
      expect(seen.batches.flat()).toEqual(["a", "b", "c", "d"]);
    }));

  it("of demand: how much, or none", () =>
    expecting(async ({ source, seen }) => {
      await source.expectNoDemand({ withinMs: 10 });
      seen.request(2);
      await source.expectDemand(2);
      seen.request(5);
      expect(await source.expectDemand()).toBe(5);
      await source.expectNoDemand();
    }));

  it("of an end: when all is taken, or by a crash", async () => {
    await expecting(async ({ source, seen }) => {
      source.emit(["a"]);
      source.end();
      await sleep(10);
      seen.request(1);
      await seen.expectNext("a");
      await seen.expectEnd("normal");
    });
    await expecting(async ({ source, seen }) => {
      const error = new Error("no more");
      source.fail(error);
      expect(await seen.expectEnd()).toEqual({ crash: error });
    });
  });

  it("that fail say what was expected, and what came", () =>
    expecting(async ({ source, seen }) => {
      await expect(seen.expectNext("x")).rejects.toEqual(
        unexpected('event "x"', "nothing within 3000 ms"),
      );
      seen.request(3);
      await expect(source.expectDemand(4)).rejects.toEqual(unexpected("demand 4", "3"));
      source.emit(["a", "b", "c"]);
      await sleep(1);
      await expect(seen.expectNoMore()).rejects.toEqual(
        unexpected("no event within 100 ms", '"a", "b", "c"'),
      );
      await expect(seen.expectNext("a", "x")).rejects.toEqual(
        unexpected('event "x"', '"b", then "c"'),
      );
      await expect(source.expectDemand(1, { withinMs: 5 })).rejects.toEqual(
        unexpected("demand 1", "nothing within 5 ms"),
      );
      await expect(seen.expectEnd("normal", { withinMs: 5 })).rejects.toEqual(
        unexpected('end "normal"', "nothing within 5 ms"),
      );
      source.end({ shutdown: "enough" });
      await expect(seen.expectEnd("normal")).rejects.toEqual(
        unexpected('end "normal"', '{"shutdown":"enough"}'),
      );
    }));
});
