import { describe, expect, it } from "vitest";
import { range } from "../../test/stage/probing.ts";
import { start, stop } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { broadcastDispatcher } from "./broadcast-dispatcher.ts";
import { setDemandMode } from "./demand-mode.ts";
import type { Dispatcher, Subscriber } from "./dispatcher.ts";
import { Producer } from "./producer.ts";

/** All to whoever subscribed last; writes down what the stage calls. */
function recorder(): { readonly calls: string[]; readonly dispatcher: Dispatcher<number> } {
  const calls: string[] = [];
  const asked = new Map<Subscriber, number>();
  const known = (subscriber: Subscriber): number => {
    const demand = asked.get(subscriber);
    if (demand === undefined) throw new Error("a subscriber that is not subscribed");
    return demand;
  };
  const dispatcher: Dispatcher<number> = {
    kind: "recorder",
    make: (context) => ({
      get demand() {
        return [...asked.values()].at(-1) ?? 0;
      },
      subscribe(subscriber) {
        calls.push("subscribe");
        asked.set(subscriber, 0);
      },
      cancel(subscriber) {
        calls.push(`cancel with ${known(subscriber)}`);
        asked.delete(subscriber);
      },
      ask(subscriber, count) {
        calls.push(`ask ${count}`);
        asked.set(subscriber, known(subscriber) + count);
      },
      dispatch(events) {
        const [subscriber, demand] = [...asked].at(-1) ?? [undefined, 0];
        const count = Math.min(demand, events.length);
        calls.push(`dispatch ${count} of ${events.length}`);
        if (subscriber === undefined || count === 0) return 0;
        asked.set(subscriber, demand - count);
        context.deliver(subscriber, events.slice(0, count));
        return count;
      },
    }),
  };
  return { calls, dispatcher };
}

describe("what a stage asks of its dispatcher", () => {
  it("G69, G70: is told of subscriptions, asks and cancels of subscribers only, and is offered events also when there is nobody", () =>
    simulate(
      async ({ quiet }) => {
        const { calls, dispatcher } = recorder();
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage, { dispatcher });
        source.emit([0, 1]);
        await quiet();
        expect(calls).toEqual(["dispatch 0 of 2"]);
        const subscribeTo = [{ to: producer, maxDemand: 4, minDemand: 0 }];
        const consumer = await start(seen.stage, { subscribeTo });
        await quiet();
        expect(calls.slice(1)).toEqual(["subscribe", "ask 4", "dispatch 2 of 2"]);
        source.emit(range(3, 2));
        await quiet();
        await stop(consumer);
        await quiet();
        expect(calls.slice(4)).toEqual([
          "dispatch 2 of 3",
          "ask 4",
          "dispatch 1 of 1",
          "cancel with 3",
        ]);
        expect(seen.batches).toEqual([[0, 1], [2, 3], [4]]);
      },
      { seeds: [1] },
    ));

  it("G71: what it has not delivered is asked for upstream once, and not forgotten when its consumer goes", () =>
    simulate(
      async ({ quiet }) => {
        const { dispatcher } = recorder();
        const source = probeProducer<number>();
        const [first, second] = [probeConsumer<number>(), probeConsumer<number>()];
        await using producer = await start(source.stage, { dispatcher });
        const gone = await start(first.stage, { subscribeTo: [{ to: producer, maxDemand: 10 }] });
        await quiet();
        await stop(gone);
        await using _next = await start(second.stage, {
          subscribeTo: [{ to: producer, maxDemand: 12, minDemand: 0 }],
        });
        await quiet();
        expect(source.asks).toEqual([10, 2]);
        source.emit(range(12));
        await quiet();
        expect(second.batches).toEqual([range(12)]);
      },
      { seeds: [1] },
    ));

  it("G78, D8: work behind what is buffered runs at once where nothing is, and leaves the demand as it was", () =>
    simulate(
      async ({ quiet }) => {
        const heard: string[] = [];
        const seen = probeConsumer<number>();
        class Marked extends Producer<number> {
          mark(): void {
            this.self.afterBuffered(() => void heard.push("behind"));
          }
          push(n: number): void {
            this.emit([n]);
          }
        }
        await using producer = await start(Marked);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, maxDemand: 2, minDemand: 0 }],
        });
        await producer.call.mark();
        await quiet();
        expect(heard).toEqual(["behind"]);
        expect(seen.batches).toEqual([]);
        producer.cast.push(1);
        producer.cast.push(2);
        await quiet();
        expect(seen.batches).toEqual([[1], [2]]);
      },
      { seeds: [1] },
    ));

  it("G87: who joins a broadcast late misses what was; a producer that accumulates until all are there tells all", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const [early, late] = [probeConsumer<number>(), probeConsumer<number>()];
        const dispatcher = broadcastDispatcher();
        await using producer = await start(source.stage, { dispatcher });
        await using _early = await start(early.stage, { subscribeTo: [producer] });
        source.emit([1]);
        await quiet();
        await using _late = await start(late.stage, { subscribeTo: [producer] });
        source.emit([2]);
        await quiet();
        expect([early.batches, late.batches]).toEqual([[[1], [2]], [[2]]]);

        const kept = probeProducer<number>();
        const both = [probeConsumer<number>(), probeConsumer<number>()] as const;
        await using keeping = await start(kept.stage, { dispatcher, demand: "accumulate" });
        await using _one = await start(both[0].stage, { subscribeTo: [keeping] });
        kept.emit([1]);
        await quiet();
        await using _two = await start(both[1].stage, { subscribeTo: [keeping] });
        await quiet();
        expect(both.map(({ batches }) => batches)).toEqual([[], []]);
        setDemandMode(keeping, "forward");
        await quiet();
        expect(both.map(({ batches }) => batches)).toEqual([[[1]], [[1]]]);
      },
      { seeds: [1] },
    ));
});
