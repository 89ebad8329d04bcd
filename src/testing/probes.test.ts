import { describe, expect, it } from "vitest";
import { start } from "../process/index.ts";
import { probeConsumer, probeProducer } from "./probes.ts";
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
