import { describe, expect, it } from "vitest";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { sleep, start, drain } from "../process/index.ts";
import { probeConsumer, simulate } from "../testing/index.ts";
import { Producer } from "./producer.ts";
import { consumer, producer } from "./shorthands.ts";
import { topology } from "./topology.ts";

/** Takes what is pushed, and writes down what it is asked for. */
class Pushed extends Producer<number> {
  readonly #asks: number[];
  constructor(asks: number[]) {
    super();
    this.#asks = asks;
  }
  push(events: readonly number[]): void {
    this.emit(events);
  }
  protected override handleDemand(demand: number): void {
    this.#asks.push(demand);
  }
}

describe("demand", () => {
  it("is served from the buffer first; handleDemand gets what is missing: 3 buffered, ask 10, demand 7", async () => {
    await simulate(
      async ({ quiet }) => {
        const asks: number[] = [];
        const seen = byHand<number>();
        await using source = await start(Pushed, { args: [asks] });
        await using _consumer = await start(seen.stage, { subscribeTo: [source] });
        await source.call.push([1, 2, 3]);
        seen.ask(10);
        await quiet();
        expect([seen.batches, asks]).toEqual([[[1, 2, 3]], [7]]);
      },
      { seeds: 5 },
    );
  });

  it("comes ask by ask, in order, never summed", async () => {
    await simulate(
      async ({ quiet }) => {
        const asks: number[] = [];
        const seen = byHand<number>();
        await using source = await start(Pushed, { args: [asks] });
        await using _consumer = await start(seen.stage, { subscribeTo: [source] });
        for (const count of [2, 2, 1]) seen.ask(count);
        await quiet();
        expect(asks).toEqual([2, 2, 1]);
      },
      { seeds: 5 },
    );
  });

  it("D2, G64, G74: what a dead consumer had asked for is not asked for twice", async () => {
    await simulate(
      async ({ quiet }) => {
        const asks: number[] = [];
        const [gone, here] = [byHand<number>(), byHand<number>()];
        await using source = await start(Pushed, { args: [asks] });
        const first = await start(gone.stage, { subscribeTo: [source] });
        await using _second = await start(here.stage, { subscribeTo: [source] });
        gone.ask(10);
        await quiet();
        await first.stop("shutdown");
        here.ask(5);
        await quiet();
        expect(asks).toEqual([10]);
        here.ask(10);
        await quiet();
        expect(asks).toEqual([10, 5]);
        await source.call.push(range(20));
        await quiet();
        expect(here.batches).toEqual([range(15)]);
      },
      { seeds: 5 },
    );
  });

  it("S56: a manual subscription gets exactly what was asked for by hand, as one batch", async () => {
    await simulate(
      async ({ quiet }) => {
        let next = 0;
        const seen = byHand<number>();
        const counter = producer((demand) => range(demand, (next += demand) - demand));
        await using source = await start(counter);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: source, maxDemand: 10 }],
        });
        seen.ask(50);
        await quiet();
        seen.ask(50);
        await quiet();
        expect(seen.batches).toEqual([range(50), range(50, 50)]);
      },
      { seeds: 5 },
    );
  });

  it("O15, G16: what is no list of events ends the producer", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        const bad = producer((() => "abc") as never);
        const source = await start(bad);
        await using _consumer = await start(probeConsumer().stage, {
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        expect(await source.exited).toMatchObject({
          crash: { code: "SLUICE_INVALID_RETURN", details: { callback: "handleDemand" } },
        });
      },
      { seeds: 5 },
    );
  });
});

describe("a drain", () => {
  it("aborts the open fetch, takes what that brings all the same, and hands no further demand on", async () => {
    await simulate(
      async ({ advance }) => {
        const demands: number[] = [];
        const taken: number[] = [];
        // Stops early, with what it has.
        const source = await start(
          producer(async (demand, { signal }) => {
            demands.push(demand);
            await sleep(1_000, signal).catch(() => {});
            return [demands.length];
          }),
        );
        const slow = consumer(async (events: readonly number[]) => {
          await sleep(10);
          taken.push(...events);
        });
        await using _consumer = await start(slow, {
          subscribeTo: [{ to: source, maxDemand: 1, cancel: "temporary" }],
        });
        await advance(1_500);
        await drain(source);
        expect(demands).toEqual([1, 1]);
        await source.stop();
        await advance(100);
        expect(taken).toEqual([1, 2]);
      },
      { seeds: 10 },
    );
  });

  it("waits for the buffer while somebody takes it, and not when the last one leaves", async () => {
    await simulate(
      async ({ seed, advance }) => {
        const taken: number[] = [];
        const slow = consumer(async (events: readonly number[]) => {
          await sleep(10);
          taken.push(...events);
        });
        await using source = await start(Pushed, { args: [[]] });
        const sink = await start(slow, { subscribeTo: [{ to: source, maxDemand: 1 }] });
        source.cast.push(range(5));
        await advance(15);
        const drained = drain(source);
        if (seed % 2 === 0) await sink.stop("normal");
        await drained;
        const { buffered } = topology(source).nodes[0]!.figures;
        expect(buffered).toBe(seed % 2 === 0 ? 3 : 0);
        await sink.stop();
      },
      { seeds: 20 },
    );
  });

  it("is over at once where nobody listens", async () => {
    await simulate(
      async () => {
        await using source = await start(Pushed, { args: [[]] });
        await source.call.push([1, 2]);
        await drain(source);
        expect(topology(source).nodes[0]?.figures["buffered"]).toBe(2);
      },
      { seeds: 5 },
    );
  });
});
