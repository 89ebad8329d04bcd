import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byHand, range } from "../../test/stage/probing.ts";
import { start, withSystem } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";
import { from } from "./from.ts";
import { subscribe } from "./subscribe.ts";
import type { From, SubscriptionTerms } from "./subscription.ts";
import { topology } from "./topology.ts";

describe("asking and cancelling by hand", () => {
  it("R5: after the end of the subscription both are nothing, however often, and harm nobody", async () => {
    const names = ["ask", "cancel", "pause", "resume", "setDemand"] as const;
    const calls = fc.array(fc.constantFrom(...names), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(calls, async (after) => {
        await simulate(
          async ({ quiet }) => {
            const source = probeProducer<number>();
            const gone = byHand<number>();
            const stays = probeConsumer<number>();
            await using producer = await start(source.stage);
            await using consumer = await start(gone.stage);
            await using _other = await start(stays.stage, { subscribeTo: [producer] });
            const from = await subscribe(consumer, { to: producer, cancel: "temporary" });
            await quiet();
            from.cancel();
            await quiet();
            for (const call of after) {
              if (call === "ask") from.ask(3);
              else if (call === "setDemand") from.setDemand({ maxDemand: 7 });
              else from[call]();
            }
            await quiet();
            source.emit(range(4));
            await quiet();
            expect(gone.batches).toEqual([]);
            expect(stays.batches).toEqual([range(4)]);
            expect(source.asks).toEqual([1_000]);
          },
          { seeds: [1] },
        );
      }),
      { numRuns: 60 },
    );
  });

  it("R7: what is asked for in all saturates, and what comes is still counted", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = byHand<number>();
        await using producer = await start(source.stage);
        await using consumer = await start(seen.stage);
        const from = await subscribe(consumer, { to: producer });
        for (let time = 0; time < 3; time++) from.ask(Number.MAX_SAFE_INTEGER);
        from.ask(5);
        await quiet();
        expect(source.asks).toEqual([Number.MAX_SAFE_INTEGER]);
        source.emit(range(10));
        await quiet();
        expect(seen.batches).toEqual([range(10)]);
        const [node] = topology(producer).nodes;
        expect(node?.figures.asked).toBe(Number.MAX_SAFE_INTEGER - 10);
      },
      { seeds: [1] },
    ));

  it("R8: a second subscription to the same producer is counted by itself", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage);
        await using consumer = await start(seen.stage);
        const first = await subscribe(consumer, {
          to: producer,
          maxDemand: 2,
          minDemand: 0,
          cancel: "temporary",
        });
        const second = await subscribe(consumer, { to: producer, maxDemand: 3, minDemand: 0 });
        expect(first.tag).not.toBe(second.tag);
        await quiet();
        expect(source.asks).toEqual([2, 3]);
        first.cancel();
        await quiet();
        // What the first had asked for is on its way, and goes to the second, which asks for no more than its own.
        source.emit(range(5));
        await quiet();
        expect(seen.batches).toEqual([
          [0, 1, 2],
          [3, 4],
        ]);
      },
      { seeds: [1] },
    ));

  it.each(["manual", "automatic"] as const)(
    "R4: from within a callback, 50,000 times, %s, does not grow the stack",
    async (asks) => {
      const count = 50_000;
      let seen = 0;
      class OneByOne extends Consumer<number> {
        protected override handleSubscribe(
          _role: "producer" | "consumer",
          _terms: SubscriptionTerms,
          numbers: From,
        ): "manual" | "automatic" {
          if (asks === "manual") numbers.ask(1);
          return asks;
        }
        protected override handleEvents(events: readonly number[], numbers: From): void {
          seen += events.length;
          if (asks === "manual") numbers.ask(1);
        }
      }
      await withSystem(async () => {
        const numbers = await start(from(() => range(count)));
        const one = await start(OneByOne, { subscribeTo: [{ to: numbers, maxDemand: 1 }] });
        expect(await one.exited).toBe("normal");
      });
      expect(seen).toBe(count);
    },
  );
});
