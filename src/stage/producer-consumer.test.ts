import { describe, expect, it } from "vitest";
import { line, same } from "../../test/stage/line.ts";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { sleep, start, drain } from "../process/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";
import { ProducerConsumer } from "./producer-consumer.ts";
import { map } from "./shorthands.ts";

describe("afterBuffered in a producer-consumer", () => {
  class Noting extends ProducerConsumer<number, number> {
    note(log: string[], line: string): void {
      this.self.afterBuffered(() => void log.push(line));
    }
    protected override handleEvents(events: readonly number[]): readonly number[] {
      return events;
    }
  }

  it("S33: runs at once where nothing waits, and S34: behind what waits before it and behind it", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const source = probeProducer<number>();
        const sink = byHand<number>();
        await using producer = await start(source.stage);
        await using noting = await start(Noting, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 0 }],
        });
        await using _consumer = await start(sink.stage, { subscribeTo: [noting] });
        noting.cast.note(log, "first");
        await quiet();
        expect(log).toEqual(["first"]);
        source.emit([1, 2]);
        await quiet();
        noting.cast.note(log, "second");
        await quiet();
        // Comes after it, and does not keep it waiting.
        source.emit([3, 4]);
        sink.ask(1);
        await quiet();
        expect(log).toEqual(["first"]);
        sink.ask(1);
        await quiet();
        expect(log).toEqual(["first", "second"]);
      },
      { seeds: 20 },
    );
  });
});

describe("an asynchronous producer-consumer", () => {
  it("keeps the order, and holds the next message until it has emitted", async () => {
    await simulate(
      async ({ advance, random }) => {
        let inHand = 0;
        const slow = map(async (event: number) => {
          expect(++inHand).toBe(1);
          await sleep(random() * 10);
          inHand--;
          return event;
        });
        await using stages = await line(slow, { maxDemand: 4 });
        const { source, sink } = stages;
        sink.ask(20);
        for (const first of [0, 4, 8, 12, 16]) source.emit(range(4, first));
        await advance(1_000);
        expect(sink.batches.flat()).toEqual(range(20));
      },
      { seeds: 20 },
    );
  });

  it("that gives no list ends", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        class Bad extends ProducerConsumer<number, number> {
          protected override handleEvents(): Promise<number[]> {
            return Promise.resolve(7 as never);
          }
        }
        await using stages = await line(Bad);
        stages.sink.ask(1);
        stages.source.emit([1]);
        expect(await stages.processor.exited).toMatchObject({
          crash: {
            code: "SLUICE_INVALID_RETURN",
            details: {
              callback: "handleEvents",
              got: "7",
              expected: "a list of events or nothing",
            },
          },
        });
      },
      { seeds: 5 },
    );
  });
});

describe("the drain of a producer-consumer", () => {
  it("waits until all that came is taken", async () => {
    await simulate(
      async ({ advance }) => {
        const taken: number[] = [];
        class Slow extends Consumer<number> {
          protected override async handleEvents(events: readonly number[]): Promise<void> {
            await sleep(10);
            taken.push(...events);
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using processor = await start(same, {
          subscribeTo: [{ to: producer, maxDemand: 8 }],
        });
        await using _slow = await start(Slow, { subscribeTo: [{ to: processor, maxDemand: 1 }] });
        source.emit(range(8));
        await advance(5);
        await drain(processor);
        await advance(20);
        expect(taken).toEqual(range(8));
      },
      { seeds: 20 },
    );
  });

  it("is over at once where nobody listens", async () => {
    await simulate(
      async ({ quiet }) => {
        await using stages = await line(same);
        await stages.consumer.stop();
        stages.source.emit([1, 2]);
        await quiet();
        await drain(stages.processor);
        expect(stages.figure("waiting")).toBe(2);
      },
      { seeds: 10 },
    );
  });
});
