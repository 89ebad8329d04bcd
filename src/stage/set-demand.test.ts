import { describe, expect, it } from "vitest";
import { sleep, start } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { range } from "../../test/stage/probing.ts";
import { crew, workers } from "../../test/stage/crew.ts";
import { edge, reading } from "../../test/stage/reading.ts";
import { subscribe } from "./subscribe.ts";
import type { From } from "./subscription.ts";

const seeds = 20;

describe("from.setDemand", () => {
  it("R1: growing asks for the difference at once, shrinking lets come what is in flight", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 4, minDemand: 2 });
        await quiet();
        it.from.setDemand({ maxDemand: 10, minDemand: 5 });
        await quiet();
        expect(it.asks).toEqual([4, 6]);
        it.source.emit([0, 1, 2]);
        await quiet();
        it.from.setDemand({ maxDemand: 3, minDemand: 1 });
        expect(edge(it.consumer)).toMatchObject({ maxDemand: 3, pending: 7 });
        it.source.emit([3, 4, 5, 6, 7]);
        await quiet();
        // Two are left of what was asked for, more than the new minDemand.
        expect(it.asks).toEqual([4, 6]);
        it.source.emit([8]);
        await quiet();
        expect(it.asks).toEqual([4, 6, 2]);
        it.from.setDemand({ maxDemand: 3, minDemand: 2 });
        await quiet();
        expect(edge(it.consumer).pending).toBe(3);
        expect(it.handled).toEqual(range(9));
      },
      { seeds },
    ));

  it("a larger minDemand asks at once when no more is left", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 10, minDemand: 2 });
        it.source.emit(range(5));
        await quiet();
        expect(it.asks).toEqual([10]);
        it.from.setDemand({ maxDemand: 10 });
        await quiet();
        expect(it.asks).toEqual([10, 5]);
      },
      { seeds },
    ));

  it("is answered while a callback is in hand, and by no message to the consumer", () =>
    simulate(
      async ({ advance, quiet }) => {
        await using it = await reading({ maxDemand: 2 }, 1_000);
        it.source.emit([1]);
        await advance(10);
        it.from.setDemand({ maxDemand: 5 });
        await quiet();
        expect(it.asks).toEqual([2, 3]);
        expect(it.handled).toEqual([]);
      },
      { seeds },
    ));

  it("while paused asks for nothing; resume asks for what the window lacks", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 2 });
        await quiet();
        it.from.pause();
        it.from.setDemand({ maxDemand: 6 });
        await quiet();
        expect(it.asks).toEqual([2]);
        it.from.resume();
        await quiet();
        expect(it.asks).toEqual([2, 4]);
      },
      { seeds },
    ));

  it("a subscription made by hand asks for nothing by itself", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        seen.ask(0);
        await using producer = await start(source.stage);
        await using consumer = await start(seen.stage);
        const from = await subscribe(consumer, { to: producer, maxDemand: 1 });
        from.setDemand({ maxDemand: 100 });
        from.pause();
        from.resume();
        await quiet();
        expect(source.asks).toEqual([]);
      },
      { seeds: 5 },
    ));

  it("of a ConsumerSupervisor lets so many more children run", () =>
    simulate(
      async ({ advance }) => {
        await using staff = await crew(() => sleep(10), { maxDemand: 1 });
        const probe = probeProducer<number>();
        await using producer = await start(probe.stage);
        const from = await subscribe(workers as never, { to: producer, maxDemand: 1 });
        probe.emit(range(6));
        await advance(1);
        expect(staff.figures()).toMatchObject({ running: 1 });
        from.setDemand({ maxDemand: 4 });
        await advance(1);
        expect(staff.figures()).toMatchObject({ running: 4 });
        await advance(100);
        expect(staff.figures()).toMatchObject({ running: 0, done: 6 });
      },
      { seeds },
    ));

  it.each([
    [undefined, "setDemand", "undefined", "{ maxDemand, minDemand? }"],
    [{}, "setDemand.maxDemand", "undefined", "a whole number of at least 1"],
    [{ maxDemand: 0 }, "setDemand.maxDemand", "0", "a whole number of at least 1"],
    [{ maxDemand: -1 }, "setDemand.maxDemand", "-1", "a whole number of at least 1"],
    [{ maxDemand: Number.NaN }, "setDemand.maxDemand", "NaN", "a whole number of at least 1"],
    [{ maxDemand: 1.5 }, "setDemand.maxDemand", "1.5", "a whole number of at least 1"],
    [{ maxDemand: Infinity }, "setDemand.maxDemand", "Infinity", "a whole number of at least 1"],
    [
      { maxDemand: 2 ** 53 },
      "setDemand.maxDemand",
      String(2 ** 53),
      "a whole number of at least 1",
    ],
    [{ maxDemand: 2, minDemand: 2 }, "setDemand.minDemand", "2", "a whole number from 0 to 1"],
    [
      { maxDemand: 2, minDemand: null },
      "setDemand.minDemand",
      "null",
      "a whole number from 0 to 1",
    ],
    [{ maxDemnd: 2 }, "setDemand.maxDemnd", "2", "one of the options maxDemand, minDemand"],
  ])(
    "R6: %o is refused by name, and the window stays as it was",
    async (given, option, got, expected) => {
      await simulate(
        async ({ quiet }) => {
          await using it = await reading({ maxDemand: 4 });
          expect(() => it.from.setDemand(given as never)).toThrow(
            expect.objectContaining({
              code: "SLUICE_INVALID_OPTION",
              details: { option, got, expected },
            }),
          );
          it.source.emit(range(4));
          await quiet();
          expect([it.handled, it.asks]).toEqual([range(4), [4, 2, 2]]);
        },
        { seeds: 2 },
      );
    },
  );

  it("R6: ask refuses what is no count, asks for nothing with 0, and leaves the subscription as it was", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 4 });
        it.from.ask(0);
        for (const count of [-1, Number.NaN, 1.5, Infinity, 2 ** 53])
          expect(() => it.from.ask(count)).toThrow(
            expect.objectContaining({
              code: "SLUICE_INVALID_OPTION",
              details: {
                option: "ask: count",
                got: String(count),
                expected: "a whole number, 0 or more",
              },
            }),
          );
        it.source.emit(range(4));
        await quiet();
        expect([it.handled, it.asks]).toEqual([range(4), [4, 2, 2]]);
      },
      { seeds: 5 },
    ));

  it("is the consumer's affair: a producer is refused by name", () =>
    simulate(
      async ({ quiet }) => {
        const refused: unknown[] = [];
        const source = probeProducer<number>();
        class Source extends source.stage {
          protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
            for (const attempt of [
              () => from.pause(),
              () => from.resume(),
              () => from.setDemand({ maxDemand: 1 }),
              () => from.ask(1),
            ])
              try {
                attempt();
              } catch (error) {
                refused.push((error as { details: { option: string } }).details.option);
              }
          }
        }
        await using producer = await start(Source);
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [producer],
        });
        await quiet();
        expect(refused).toEqual(["pause", "resume", "setDemand", "ask"]);
      },
      { seeds: 3 },
    ));
});
