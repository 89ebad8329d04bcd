import { describe, expect, it } from "vitest";
import { byHand, quietly } from "../../test/stage/probing.ts";
import { Counter, Doubler, Forwarder, Queue, schedules } from "../../test/stage/stages.ts";
import { Process, drain, name, start } from "../process/index.ts";
import { probeConsumer } from "../testing/index.ts";
import { bufferedCount, demandMode, setDemandMode } from "./demand-mode.ts";
import { from } from "./from.ts";
import { Producer } from "./producer.ts";

describe("a producer that accumulates", () => {
  it(
    "S18, G41: from the start: nothing flows until it is told to forward; it tells its mode",
    schedules(async ({ quiet }) => {
      const seen = probeConsumer<number>();
      await using counter = await start(Counter, { demand: "accumulate" });
      await using _consumer = await start(seen.stage, {
        subscribeTo: [{ to: counter, maxDemand: 4, minDemand: 0 }],
      });
      await quiet();
      expect([demandMode(counter), seen.batches]).toEqual(["accumulate", []]);
      setDemandMode(counter, "forward");
      expect(demandMode(counter)).toBe("forward");
      await seen.next();
      expect(seen.batches[0]).toEqual([0, 1, 2, 3]);
      setDemandMode(counter, "accumulate");
      await quiet();
    }),
  );

  it(
    "S20, S21: by its setting while it runs, before anybody subscribes or after",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      const seen = byHand<number>();
      await using queue = await start(Queue<number>, { args: [reports] });
      setDemandMode(queue, "forward");
      setDemandMode(queue, "accumulate");
      await using _consumer = await start(seen.stage, { subscribeTo: [queue] });
      seen.ask(3);
      await queue.call.queue([1]);
      await quiet();
      expect(seen.batches).toEqual([]);
      expect(reports.slice(1)).toEqual([]);
      setDemandMode(queue, "forward");
      await quiet();
      expect(seen.batches).toEqual([[1]]);
      expect(reports.slice(1)).toEqual([["demand", 2]]);
    }),
  );

  it(
    "S22, G43: told twice, it keeps what it has",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      const seen = byHand<number>();
      await using queue = await start(Queue<number>, { args: [reports], demand: "accumulate" });
      await using _consumer = await start(seen.stage, { subscribeTo: [queue] });
      seen.ask(2);
      await quiet();
      setDemandMode(queue, "accumulate");
      seen.ask(1);
      await quiet();
      setDemandMode(queue, "forward");
      await quiet();
      expect(reports.slice(1)).toEqual([
        ["demand", 2],
        ["demand", 1],
      ]);
    }),
  );

  it(
    "S23, G43, G44: replays what was asked for ask by ask, 2, 2 and 1, after what the buffer could serve",
    schedules(async ({ quiet }) => {
      for (const [buffered, asked] of [
        [[], [2, 2, 1]],
        [[7], [1, 2, 1]],
        [
          [7, 8, 9],
          [1, 1],
        ],
      ] as const) {
        const reports: unknown[] = [];
        const seen = byHand<number>();
        const queue = await start(Queue<number>, { args: [reports], demand: "accumulate" });
        const consumer = await start(seen.stage, {
          subscribeTo: [{ to: queue, cancel: "temporary" }],
        });
        await queue.call.queue(buffered);
        for (const count of [2, 2, 1]) {
          seen.ask(count);
          await quiet();
        }
        setDemandMode(queue, "forward");
        await quiet();
        expect(reports.slice(1)).toEqual(asked.map((count) => ["demand", count]));
        expect(seen.batches.flat()).toEqual(buffered);
        await queue.stop();
        await consumer.stop();
      }
    }),
  );

  it(
    "G45: keeps what is emitted in its bounded buffer, whose rule applies, and shows how much that is",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const seen = byHand<number>();
      await using queue = await start(Queue<number>, {
        demand: "accumulate",
        bufferSize: 3,
      });
      await using _consumer = await start(seen.stage, { subscribeTo: [queue] });
      seen.ask(10);
      await quiet();
      await queue.call.queue([1, 2]);
      await queue.call.queue([3, 4]);
      expect(bufferedCount(queue)).toBe(3);
      setDemandMode(queue, "forward");
      await quiet();
      expect(seen.batches).toEqual([[2], [3, 4]]);
      expect(bufferedCount(queue)).toBe(0);
    }),
  );

  it(
    "G40: runs afterBuffered behind what it keeps",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      const seen = byHand<number>();
      await using queue = await start(Queue<number>, { args: [reports], demand: "accumulate" });
      await queue.call.note("at once");
      await queue.call.queue([1]);
      await queue.call.note("behind");
      await using _consumer = await start(seen.stage, { subscribeTo: [queue] });
      seen.ask(1);
      await quiet();
      expect(reports.filter((report) => typeof report === "string")).toEqual(["at once"]);
      setDemandMode(queue, "forward");
      await quiet();
      expect(reports.filter((report) => typeof report === "string")).toEqual(["at once", "behind"]);
    }),
  );

  it(
    "holds at once, whatever callback is in hand",
    schedules(async ({ quiet }) => {
      const gate = Promise.withResolvers<void>();
      class Slow extends Producer<number> {
        async work(): Promise<void> {
          await gate.promise;
          this.emit([1]);
        }
      }
      const seen = byHand<number>();
      await using slow = await start(Slow);
      await using _consumer = await start(seen.stage, { subscribeTo: [slow] });
      seen.ask(1);
      await quiet();
      slow.cast.work();
      await quiet();
      setDemandMode(slow, "accumulate");
      gate.resolve();
      await quiet();
      expect([seen.batches, bufferedCount(slow)]).toEqual([[], 1]);
      // The last word counts.
      setDemandMode(slow, "forward");
      setDemandMode(slow, "accumulate");
      await quiet();
      expect(seen.batches).toEqual([]);
      setDemandMode(slow, "forward");
      await quiet();
      expect(seen.batches).toEqual([[1]]);
    }),
  );

  it(
    "asks nothing for a consumer that has gone meanwhile, and not twice for the one that comes",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      await using queue = await start(Queue<number>, { args: [reports], demand: "accumulate" });
      for (let round = 0; round < 3; round++) {
        const gone = await start(Forwarder, {
          args: [[]],
          subscribeTo: [{ to: queue, maxDemand: 5 }],
        });
        await quiet();
        await gone.stop();
      }
      await using _here = await start(Forwarder, { subscribeTo: [{ to: queue, maxDemand: 4 }] });
      await quiet();
      setDemandMode(queue, "forward");
      await quiet();
      const demands = reports.filter((report) => (report as unknown[])[0] === "demand");
      expect(demands).toEqual([["demand", 4]]);
    }),
  );

  it(
    "told to accumulate by its own replay keeps the rest",
    schedules(async ({ quiet }) => {
      const asked: number[] = [];
      class Once extends Producer<number> {
        protected override handleDemand(demand: number): void {
          asked.push(demand);
          if (asked.length === 1) setDemandMode(once, "accumulate");
        }
      }
      const once = name<Once>("once");
      const seen = byHand<number>();
      await using _once = await start(Once, { name: once, demand: "accumulate" });
      await using _consumer = await start(seen.stage, { subscribeTo: [once] });
      for (const count of [2, 3]) {
        seen.ask(count);
        await quiet();
      }
      setDemandMode(once, "forward");
      await quiet();
      expect([asked, demandMode(once)]).toEqual([[2], "accumulate"]);
      setDemandMode(once, "forward");
      await quiet();
      expect(asked).toEqual([2, 3]);
    }),
  );

  it(
    "that stops in its replay replays no further",
    schedules(async ({ quiet }) => {
      const asked: number[] = [];
      class Mortal extends Producer<number> {
        protected override handleDemand(demand: number): void {
          asked.push(demand);
          this.self.stop();
        }
      }
      const seen = byHand<number>();
      const mortal = await start(Mortal, { demand: "accumulate" });
      await using _consumer = await start(seen.stage, {
        subscribeTo: [{ to: mortal, cancel: "temporary" }],
      });
      for (const count of [2, 3]) {
        seen.ask(count);
        await quiet();
      }
      setDemandMode(mortal, "forward");
      expect(await mortal.exited).toBe("normal");
      expect(asked).toEqual([2]);
    }),
  );

  it(
    "makes offers wait for a place, and hands them out in their turn",
    schedules(async ({ quiet }) => {
      class Offering extends Producer<number> {
        push(events: readonly number[]): Promise<void> {
          return this.offer(events);
        }
        tried(events: readonly number[]): boolean {
          return this.tryOffer(events);
        }
      }
      const seen = byHand<number>();
      await using offering = await start(Offering, { demand: "accumulate", bufferSize: 2 });
      await using _consumer = await start(seen.stage, { subscribeTo: [offering] });
      seen.ask(10);
      await quiet();
      expect(await offering.call.tried([1, 2, 3])).toBe(false);
      let taken = false;
      const pushed = offering.call.push([1, 2, 3]).then(() => (taken = true));
      await quiet();
      expect(taken).toBe(false);
      setDemandMode(offering, "forward");
      await pushed;
      await quiet();
      expect(seen.batches.flat()).toEqual([1, 2, 3]);
    }),
  );

  it(
    "reads a source no further than it was asked before",
    schedules(async ({ quiet }) => {
      const seen = byHand<number>();
      let read = 0;
      function* endless(): Generator<number> {
        for (;;) yield read++;
      }
      await using numbers = await start(from(endless));
      await using _consumer = await start(seen.stage, { subscribeTo: [numbers] });
      seen.ask(5);
      await quiet();
      setDemandMode(numbers, "accumulate");
      seen.ask(5);
      await quiet();
      expect(read).toBe(5);
      setDemandMode(numbers, "forward");
      await quiet();
      expect(seen.batches.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }),
  );

  it(
    "lets out at a drain what it keeps, and asks for nothing more",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      const seen = byHand<number>();
      await using queue = await start(Queue<number>, { args: [reports], demand: "accumulate" });
      await using _consumer = await start(seen.stage, { subscribeTo: [queue] });
      seen.ask(3);
      await queue.call.queue([1, 2]);
      await quiet();
      expect((await drain(queue)).left).toEqual([]);
      await quiet();
      expect(seen.batches).toEqual([[1, 2]]);
      expect(reports.slice(1)).toEqual([]);
    }),
  );
});

describe("the demand mode of what is no producer", () => {
  class Silent extends Process {}

  it(
    "G41, G42: a producer-consumer forwards and does nothing else; who has no demand says so to who asks",
    schedules(async () => {
      await using counter = await start(Counter);
      await using doubler = await start(Doubler, { subscribeTo: [counter] });
      expect(demandMode(doubler)).toBe("forward");
      setDemandMode(doubler, "forward");
      expect(() => setDemandMode(doubler, "accumulate")).toThrow(
        expect.objectContaining({
          code: "SLUICE_INVALID_OPTION",
          details: {
            option: "mode",
            got: '"accumulate"',
            expected: `"forward": ${doubler.pid} stands still by itself when its consumers do`,
          },
        }),
      );
      await using consumer = await start(Forwarder);
      await using silent = await start(Silent);
      for (const stage of [consumer, silent])
        for (const ask of [demandMode, bufferedCount, (at: never) => setDemandMode(at, "forward")])
          expect(() => ask(stage as never)).toThrow(
            expect.objectContaining({
              code: "SLUICE_NOT_A_PRODUCER",
              details: { target: stage.pid },
            }),
          );
      expect(() => demandMode(name<Counter>("nobody"))).toThrow(
        expect.objectContaining({ code: "SLUICE_NO_PROCESS" }),
      );
      expect(() => setDemandMode(counter, "backward" as never)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    }),
  );

  it(
    "may be set before the first turn of a producer",
    schedules(async ({ quiet }) => {
      const late = name<Counter>("late");
      const starting = start(Counter, { name: late });
      setDemandMode(late, "accumulate");
      await using counter = await starting;
      await quiet();
      expect(demandMode(counter)).toBe("accumulate");
    }),
  );
});
