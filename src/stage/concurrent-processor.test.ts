import { describe, expect, it } from "vitest";
import { sleep, start, withSystem, type Context } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Jobs } from "../../test/stage/jobs.ts";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { Consumer } from "./consumer.ts";
import { ProducerConsumer, type ProducerConsumerOptions } from "./producer-consumer.ts";
import { from } from "./from.ts";
import { flatMap, forEach } from "./shorthands.ts";
import { subscribe } from "./subscribe.ts";
import type { ProducerConsumerClass } from "./shorthands.ts";
import { topology } from "./topology.ts";

const seeds = 10;

/** A processor between a source and a sink that the test drives. */
async function line(
  stage: ProducerConsumerClass<number, number>,
  options: Omit<ProducerConsumerOptions<number, number>, "subscribeTo">,
  maxDemand = 10,
) {
  const source = probeProducer<number>();
  const sink = byHand<number>();
  const producer = await start(source.stage);
  const processor = await start(stage, { ...options, subscribeTo: [{ to: producer, maxDemand }] });
  const consumer = await start(sink.stage, {
    subscribeTo: [{ to: processor, cancel: "temporary" }],
  });
  return {
    source,
    sink,
    producer,
    processor,
    figures: () => topology(processor).nodes[0]!.figures,
    async [Symbol.asyncDispose]() {
      for (const each of [producer, processor, consumer]) await each.stop("shutdown");
    },
  };
}

describe("a producer-consumer with work in flight", () => {
  it("ordered, the default: what is made leaves in the order of what came; the window is the concurrency", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        await using it = await line(jobs.processor(), { concurrency: 3 });
        it.sink.ask(100);
        it.source.emit(range(8));
        await quiet();
        expect(jobs.open).toEqual([0, 1, 2]);
        jobs.end(1, 2);
        await quiet();
        // Behind the slow one nothing leaves and nothing begins, but what has ended was asked for again.
        expect([jobs.open, it.sink.batches]).toEqual([[0], []]);
        expect(it.figures()).toMatchObject({ running: 1, reordering: 2, waiting: 5, done: 0 });
        expect(it.source.asks).toEqual([10]);
        jobs.end(0);
        await quiet();
        expect([jobs.open, it.sink.batches.flat()]).toEqual([
          [3, 4, 5],
          [0, 1, 2],
        ]);
        jobs.end(3, 4, 5);
        await quiet();
        // Half of the window is left by now.
        expect(it.source.asks).toEqual([10, 5]);
        jobs.end(6, 7);
        await quiet();
        expect([it.sink.batches.flat(), jobs.most]).toEqual([range(8), 3]);
      },
      { seeds },
    ));

  it("unordered: what is made leaves as it is ready, and a slow event holds up its own place only", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        await using it = await line(jobs.processor(), { concurrency: 2, order: "unordered" }, 3);
        it.sink.ask(100);
        it.source.emit(range(3));
        await quiet();
        jobs.end(1);
        await quiet();
        expect([it.sink.batches, jobs.open, it.source.asks]).toEqual([[[1]], [0, 2], [3, 1]]);
        jobs.end(2);
        await quiet();
        expect([it.sink.batches, it.source.asks]).toEqual([
          [[1], [2]],
          [3, 1, 1],
        ]);
        jobs.end(0);
        await quiet();
        expect([it.sink.batches.flat(), it.source.asks]).toEqual([
          [1, 2, 0],
          [3, 1, 1, 1],
        ]);
      },
      { seeds },
    ));

  it("keyed: what is made of a key leaves in order", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        await using it = await line(jobs.processor(), {
          concurrency: 3,
          key: (event) => event % 2,
        });
        it.sink.ask(100);
        it.source.emit(range(4));
        await quiet();
        expect(jobs.open).toEqual([0, 1]);
        jobs.end(1);
        await quiet();
        jobs.end(3);
        await quiet();
        jobs.end(0);
        await quiet();
        jobs.end(2);
        await quiet();
        expect(it.sink.batches.flat()).toEqual([1, 3, 0, 2]);
      },
      { seeds },
    ));

  it("begins nothing while nobody has asked, and no more than it has places for what it makes", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        await using it = await line(jobs.processor(), { concurrency: 8, bufferSize: 2 }, 20);
        it.source.emit(range(20));
        await quiet();
        expect(jobs.begun).toEqual([]);
        it.sink.ask(3);
        await quiet();
        // Three are asked for, two have a place in the buffer.
        expect(jobs.open).toEqual(range(5));
        jobs.end(...range(5));
        await quiet();
        expect(it.sink.batches.flat()).toEqual([0, 1, 2]);
        expect(it.figures()).toMatchObject({ buffered: 2, running: 0, waiting: 15, dropped: 0 });
        it.sink.ask(2);
        await quiet();
        expect([jobs.open, it.figures()["buffered"]]).toEqual([[], 0]);
        it.sink.ask(1);
        await quiet();
        expect(jobs.open.length).toBe(3);
      },
      { seeds },
    ));

  it("an event that becomes many overfills the buffer by what is in flight at most, and nothing is dropped", () =>
    simulate(
      async ({ advance }) => {
        const stage = flatMap<number, number>(async (event) => {
          await sleep(5);
          return [event, event, event];
        });
        await using it = await line(stage, { concurrency: 4, bufferSize: 2 }, 20);
        it.source.emit(range(20));
        it.sink.ask(1);
        await advance(100);
        const { buffered = 0 } = it.figures();
        expect(buffered).toBe(3 * 3 - 1);
        it.sink.ask(100);
        await advance(1_000);
        expect(it.sink.batches.flat()).toEqual(range(20).flatMap((event) => [event, event, event]));
        expect(it.figures()).toMatchObject({ buffered: 0, dropped: 0 });
      },
      { seeds },
    ));

  it("R2, E16: messages are handled one at a time while work is in flight, and none beside another", () =>
    simulate(
      async ({ advance }) => {
        let inside = 0;
        let overlaps = 0;
        let flying = 0;
        let beside = 0;
        class Enricher extends ProducerConsumer<number, number> {
          protected override async handleEvents(
            events: readonly number[],
          ): Promise<readonly number[]> {
            if (inside > 0) overlaps++;
            flying++;
            await sleep(10);
            flying--;
            return events;
          }
          async lookup(): Promise<number> {
            if (inside++ > 0) overlaps++;
            if (flying > 0) beside++;
            await sleep(3);
            inside--;
            return flying;
          }
          note(): void {
            if (inside > 0) overlaps++;
          }
        }
        const source = probeProducer<number>();
        const sink = probeConsumer<number>();
        await using producer = await start(source.stage);
        await using stage = await start(Enricher, {
          concurrency: 3,
          subscribeTo: [{ to: producer, maxDemand: 10 }],
        });
        await using _consumer = await start(sink.stage, { subscribeTo: [stage] });
        source.emit(range(10));
        await advance(1);
        const answers: number[] = [];
        for (let count = 0; count < 5; count++) {
          stage.cast.note();
          void stage.call.lookup().then((answer) => answers.push(answer));
        }
        await advance(200);
        expect([answers.length, overlaps]).toEqual([5, 0]);
        expect(beside).toBeGreaterThan(0);
        expect(sink.batches.flat()).toEqual(range(10));
      },
      { seeds: 50 },
    ));

  it("afterBuffered waits for what is in flight, of a consumer too; not for what comes later", () =>
    simulate(
      async ({ quiet }) => {
        const told: string[] = [];
        const jobs = new Jobs();
        class Noting extends Consumer<number> {
          protected override async handleEvents(
            [event]: readonly number[],
            _from: unknown,
            context: Context,
          ): Promise<void> {
            await jobs.run(event!, context);
            told.push(String(event));
          }
          note(): void {
            this.self.afterBuffered(() => void told.push("note"));
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using consumer = await start(Noting, {
          concurrency: 2,
          subscribeTo: [{ to: producer, maxDemand: 10 }],
        });
        source.emit([0, 1, 2]);
        await quiet();
        consumer.cast.note();
        await quiet();
        source.emit([3]);
        await quiet();
        jobs.end(1);
        await quiet();
        jobs.end(2);
        await quiet();
        jobs.end(3);
        await quiet();
        expect(told).toEqual(["1", "2", "3"]);
        jobs.end(0);
        await quiet();
        expect(told).toEqual(["1", "2", "3", "0", "note"]);
        consumer.cast.note();
        await quiet();
        expect(told.at(-1)).toBe("note");
      },
      { seeds },
    ));

  it("G63: the end of its producer comes behind its events, and what they became is out before the stage ends", () =>
    simulate(
      async ({ quiet }) => {
        using _quiet = quietly();
        const jobs = new Jobs();
        await using it = await line(jobs.processor(), { concurrency: 2 });
        it.sink.ask(1);
        it.source.emit(range(4));
        await quiet();
        await it.producer.stop("normal");
        await quiet();
        jobs.end(0, 1);
        await quiet();
        expect(topology(it.processor).edges.length).toBe(1);
        it.sink.ask(10);
        await quiet();
        jobs.end(2, 3);
        expect(await it.processor.exited).toBe("normal");
        await quiet();
        expect(it.sink.batches.flat()).toEqual(range(4));
      },
      { seeds },
    ));

  it("R3, R9: a subscription that is cancelled finishes what has come of it, asks for nothing more, and its neighbours go on", () =>
    simulate(
      async ({ quiet }) => {
        const jobs = new Jobs();
        const one = probeProducer<number>();
        const other = probeProducer<number>();
        await using first = await start(one.stage);
        await using second = await start(other.stage);
        await using stage = await start(jobs.consumer(), { concurrency: 2 });
        const cancelled = await subscribe(stage, { to: first, maxDemand: 4, cancel: "temporary" });
        await subscribe(stage, { to: second, maxDemand: 4 });
        one.emit(range(3));
        await quiet();
        cancelled.cancel();
        cancelled.cancel();
        cancelled.ask(3);
        one.emit([9]);
        await quiet();
        expect(topology(stage).edges.length).toBe(2);
        while (jobs.open.length > 0) {
          jobs.end(...jobs.open);
          await quiet();
        }
        expect([jobs.ended, topology(stage).edges.length]).toEqual([range(3), 1]);
        expect(one.asks[0]).toBe(4);
        other.emit([5]);
        await quiet();
        expect(jobs.open).toEqual([5]);
        jobs.end(5);
        await quiet();
      },
      { seeds },
    ));

  it("a million events, each asked for by itself, need no stack", async () => {
    const count = 1_000_000;
    let seen = 0;
    await withSystem(async () => {
      const numbers = await start(from(() => range(count)));
      const counter = await start(
        forEach<number>(() => void seen++),
        { concurrency: 4, subscribeTo: [{ to: numbers, maxDemand: 1 }] },
      );
      await counter.exited;
    });
    expect(seen).toBe(count);
  });

  it("what it returns must be a list", () =>
    simulate(
      async () => {
        using _quiet = quietly();
        class Odd extends ProducerConsumer<number, number> {
          protected override handleEvents(): never {
            return "none" as never;
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        const stage = await start(Odd, { concurrency: 2, subscribeTo: [producer] });
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [{ to: stage, cancel: "temporary" }],
        });
        source.emit([1]);
        expect(await stage.exited).toMatchObject({ crash: { code: "SLUICE_INVALID_RETURN" } });
      },
      { seeds: 5 },
    ));
});
