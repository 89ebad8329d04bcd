import { describe, expect, it } from "vitest";
import { Consumer, ProducerConsumer, map, sleep, start } from "sluice";
import { probeProducer, simulate } from "sluice/testing";
import { cellOf } from "../../src/process/internal.ts";
import type { ConsumerEngine } from "../../src/stage/internal.ts";
import { byHand } from "./probing.ts";

describe("the stamp", () => {
  /** Writes down when what it gets entered the pipeline. */
  class Clock extends Consumer<number> {
    readonly #seen: [event: number, enteredMs: number][];
    constructor(seen: [number, number][]) {
      super();
      this.#seen = seen;
    }
    protected override handleEvents(events: readonly number[]): void {
      const { enteredMs } = (cellOf(this).engine as ConsumerEngine).inlet;
      for (const event of events) this.#seen.push([event, enteredMs]);
    }
  }

  it("is inherited through a producer-consumer, however long the event waits before, in and behind it", async () => {
    await simulate(
      async ({ advance }) => {
        const seen: [number, number][] = [];
        const source = probeProducer<number>();
        const slow = map(async (event: number) => {
          await sleep(100);
          return event;
        });
        await using producer = await start(source.stage);
        await using processor = await start(slow, {
          subscribeTo: [{ to: producer, maxDemand: 1 }],
        });
        await using _clock = await start(Clock, {
          args: [seen],
          subscribeTo: [{ to: processor, maxDemand: 1 }],
        });
        await advance(10);
        source.emit([1]);
        await advance(20);
        source.emit([2, 3]);
        await advance(5_000);
        expect(seen).toEqual([
          [1, 10],
          [2, 30],
          [3, 30],
        ]);
      },
      { seeds: 20 },
    );
  });

  it("of batches that are joined is that of the oldest event among them", async () => {
    await simulate(
      async ({ advance, quiet }) => {
        const seen: [number, number][] = [];
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        for (const event of [1, 2, 3]) {
          source.emit([event]);
          await advance(10);
        }
        await using _clock = await start(Clock, { args: [seen], subscribeTo: [producer] });
        await quiet();
        expect(seen).toEqual([
          [1, 0],
          [2, 0],
          [3, 0],
        ]);
      },
      { seeds: 5 },
    );
  });

  it("of what is emitted beside a message that waits for a place is its own", async () => {
    await simulate(
      async ({ advance, quiet }) => {
        const seen: [number, number][] = [];
        const source = probeProducer<number>();
        class Aside extends ProducerConsumer<number, number> {
          aside(event: number): void {
            this.emit([event]);
          }
          protected override handleEvents(events: readonly number[]): readonly number[] {
            return events;
          }
        }
        const hand = byHand<number>();
        await using producer = await start(source.stage);
        await using aside = await start(Aside, {
          bufferSize: 1,
          subscribeTo: [{ to: producer, maxDemand: 3, minDemand: 2 }],
        });
        const holding = await start(hand.stage, {
          subscribeTo: [{ to: aside, cancel: "temporary" }],
        });
        hand.ask(1);
        await quiet();
        source.emit([1, 2, 3]);
        await advance(50);
        await aside.call.aside(4);
        await holding.stop();
        await using _clock = await start(Clock, {
          args: [seen],
          subscribeTo: [{ to: aside, maxDemand: 1 }],
        });
        await quiet();
        expect(hand.batches).toEqual([[1]]);
        expect(seen).toEqual([
          [2, 0],
          [4, 50],
          [3, 0],
        ]);
      },
      { seeds: 20 },
    );
  });
});
