import { describe, expect, it } from "vitest";
import { line, same } from "../../test/stage/line.ts";
import { byHand, range } from "../../test/stage/probing.ts";
import { start } from "../process/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { ProducerConsumer } from "./producer-consumer.ts";
import { flatMap } from "./shorthands.ts";
import { topology } from "./topology.ts";

describe("the demand of a producer-consumer", () => {
  it("E3: is for whole messages: with 1 asked for, 6 that came are processed, 1 goes on, 5 wait, the next message too", async () => {
    await simulate(
      async ({ quiet }) => {
        const batches: number[] = [];
        const counting = flatMap((event: number) => (batches.push(event), [event]));
        await using stages = await line(counting, { maxDemand: 6, minDemand: 4 });
        const { source, sink, figure } = stages;
        source.emit(range(6));
        source.emit(range(6, 6));
        await quiet();
        expect(batches).toEqual([]);
        sink.ask(1);
        await quiet();
        expect(batches).toEqual(range(6));
        expect(sink.batches).toEqual([[0]]);
        expect([figure("buffered"), figure("waiting")]).toEqual([5, 6]);
        // The second message went out as it was asked for anew.
        expect(source.asks).toEqual([6]);
        sink.ask(5);
        await quiet();
        expect([figure("buffered"), figure("waiting")]).toEqual([0, 6]);
        sink.ask(1);
        await quiet();
        expect(sink.batches.flat()).toEqual(range(7));
      },
      { seeds: 20 },
    );
  });

  it("asks upstream for the whole window at once, and again only after processing", async () => {
    await simulate(
      async ({ quiet }) => {
        await using stages = await line(same, { maxDemand: 6, minDemand: 4 });
        const { source, sink } = stages;
        await quiet();
        expect(source.asks).toEqual([6]);
        source.emit(range(6));
        await quiet();
        expect(source.asks).toEqual([6]);
        sink.ask(1);
        await quiet();
        expect(source.asks).toEqual([6, 2, 2, 2]);
      },
      { seeds: 10 },
    );
  });

  it("S13: who emits later than it handles stops asking when its consumer does", async () => {
    await simulate(
      async ({ advance }) => {
        const handled: number[] = [];
        class Postponer extends ProducerConsumer<number, number> {
          protected override handleEvents(events: readonly number[]): void {
            handled.push(...events);
            this.self.after(0, () => this.emit(events));
          }
        }
        await using stages = await line(Postponer, { maxDemand: 10, minDemand: 8 });
        const { source, sink } = stages;
        sink.ask(10);
        source.emit(range(10));
        await advance(1);
        expect(sink.batches.flat()).toEqual(range(10));
        source.emit([10, 11]);
        await advance(1);
        expect(handled).toEqual(range(10));
      },
      { seeds: 20 },
    );
  });

  it("S14: a processor that emits nothing keeps pulling", async () => {
    await simulate(
      async ({ quiet }) => {
        const handled: number[] = [];
        const discard = flatMap((event: number): number[] => (handled.push(event), []));
        await using stages = await line(discard, { maxDemand: 4, minDemand: 2 });
        const { source, sink } = stages;
        sink.ask(1);
        for (let first = 0; first < 100; first += 2) {
          source.emit([first, first + 1]);
          await quiet();
        }
        expect(handled).toEqual(range(100));
        expect(source.asks).toEqual([4, ...Array.from({ length: 50 }, () => 2)]);
      },
      { seeds: 5 },
    );
  });

  it("of one who is gone is kept: what came of it waits for the next, in order", async () => {
    await simulate(
      async ({ quiet }) => {
        await using stages = await line(same, { maxDemand: 4 });
        const { source, sink, consumer, processor } = stages;
        sink.ask(3);
        await quiet();
        await consumer.stop();
        source.emit([1, 2]);
        await quiet();
        const next = byHand<number>();
        await using _next = await start(next.stage, { subscribeTo: [processor] });
        next.ask(2);
        await quiet();
        expect(next.batches.flat()).toEqual([1, 2]);
      },
      { seeds: 10 },
    );
  });

  it("empties an inbox of any length without growing the stack", async () => {
    await simulate(
      async ({ quiet }) => {
        await using stages = await line(same, { maxDemand: 30_000 }, { bufferSize: Infinity });
        const { source, sink } = stages;
        for (let n = 0; n < 30_000; n++) source.emit([n]);
        await quiet();
        sink.ask(30_000);
        await quiet();
        expect(sink.batches.flat()).toEqual(range(30_000));
      },
      { seeds: [1] },
    );
  });
});

describe("the buffer of a producer-consumer", () => {
  it("stops the processing when it is full, between two batches, and never drops", async () => {
    await simulate(
      async ({ quiet }) => {
        const handled: number[] = [];
        const triple = flatMap((event: number) => {
          handled.push(event);
          return [event, event, event];
        });
        await using stages = await line(triple, { maxDemand: 6, minDemand: 5 }, { bufferSize: 4 });
        const { source, sink, figure } = stages;
        source.emit(range(6));
        sink.ask(1);
        await quiet();
        // One of three is out, five wait: the next batch does not begin.
        expect(handled).toEqual([0, 1]);
        expect([figure("buffered"), figure("waiting"), figure("dropped")]).toEqual([5, 4, 0]);
        sink.ask(2);
        await quiet();
        expect([handled, figure("buffered")]).toEqual([[0, 1, 2], 6]);
        sink.ask(100);
        await quiet();
        expect(sink.batches.flat()).toEqual(range(6).flatMap((n) => [n, n, n]));
      },
      { seeds: 20 },
    );
  });

  it("holds ten windows unless told otherwise", async () => {
    await simulate(
      async ({ quiet }) => {
        const many = flatMap((event: number) => range(9, event));
        await using stages = await line(many, { maxDemand: 4, minDemand: 3 });
        const { source, sink, figure } = stages;
        for (let n = 0; n < 4; n++) source.emit([n]);
        sink.ask(1);
        await quiet();
        expect(figure("buffered")).toBe(8);
        source.emit(range(4));
        sink.ask(9);
        await quiet();
        expect(figure("buffered")).toBeLessThan(40 + 9);
        expect(figure("dropped")).toBe(0);
      },
      { seeds: 5 },
    );
  });

  it("with 40 of 40 taken lets 9 more in, and no further batch", async () => {
    await simulate(
      async ({ quiet }) => {
        const many = flatMap((event: number) => range(41, event));
        await using stages = await line(many, { maxDemand: 4, minDemand: 3 });
        const { source, sink, figure } = stages;
        source.emit(range(4));
        sink.ask(1);
        await quiet();
        expect([figure("buffered"), figure("waiting")]).toEqual([40, 3]);
      },
      { seeds: 5 },
    );
  });

  it("makes offers wait, not only events", async () => {
    await simulate(
      async ({ quiet }) => {
        class Both extends ProducerConsumer<number, number> {
          add(events: readonly number[]): Promise<void> {
            return this.offer(events);
          }
          protected override handleEvents(events: readonly number[]): readonly number[] {
            return events;
          }
        }
        const sink = byHand<number>();
        await using both = await start(Both, { bufferSize: 2 });
        await using _consumer = await start(sink.stage, { subscribeTo: [both] });
        await both.call.add([1, 2]);
        let added = false;
        const adding = both.call.add([3]).then(() => (added = true));
        await quiet();
        expect(added).toBe(false);
        sink.ask(1);
        await adding;
        sink.ask(9);
        await quiet();
        expect(sink.batches.flat()).toEqual([1, 2, 3]);
      },
      { seeds: 10 },
    );
  });

  it.each([[0], [-1], [0.5]])(
    "G10: of size %d is refused: it could process nothing",
    async (bufferSize) => {
      await simulate(
        async () => {
          await expect(start(same, { bufferSize })).rejects.toMatchObject({
            cause: { details: { option: "bufferSize", expected: "a whole number of at least 1" } },
          });
        },
        { seeds: [1] },
      );
    },
  );
});

describe("a producer-consumer whose producer is gone", () => {
  it("S17, G63: ends after what came before was processed and taken", async () => {
    await simulate(
      async ({ quiet }) => {
        await using stages = await line(same, { maxDemand: 6, minDemand: 0 });
        const { source, sink, producer, processor } = stages;
        source.emit(range(6));
        await quiet();
        await producer.stop("normal");
        await quiet();
        expect(processor["~resolve"]()).toMatchObject({ stopReason: undefined });
        for (const _ of range(6)) {
          sink.ask(1);
          await quiet();
        }
        expect(await processor.exited).toBe("normal");
        expect(sink.batches.flat()).toEqual(range(6));
      },
      { seeds: 20 },
    );
  });

  it("E12: ends at once if nothing waits, whether or not anybody asks", async () => {
    await simulate(
      async () => {
        await using stages = await line(same);
        await stages.producer.stop("shutdown");
        expect(await stages.processor.exited).toBe("shutdown");
      },
      { seeds: 20 },
    );
  });

  it("goes on with its other producers until its buffer is taken, and lives on where the subscription was temporary", async () => {
    await simulate(
      async ({ quiet }) => {
        const [gone, here] = [probeProducer<number>(), probeProducer<number>()];
        const sink = byHand<number>();
        const first = await start(gone.stage);
        await using second = await start(here.stage);
        await using processor = await start(same, {
          subscribeTo: [{ to: first, cancel: "temporary" }, second],
        });
        await using _consumer = await start(sink.stage, { subscribeTo: [processor] });
        gone.emit([1, 2]);
        await quiet();
        await first.stop();
        here.emit([3, 4]);
        await quiet();
        sink.ask(9);
        await quiet();
        expect(sink.batches.flat()).toEqual([1, 2, 3, 4]);
        expect(topology(processor).edges).toHaveLength(1);
      },
      { seeds: 20 },
    );
  });
});
