import { describe, expect, it } from "vitest";
import { byHand } from "../../test/stage/probing.ts";
import { Counter, Doubler, Forwarder, Queue, batches, schedules } from "../../test/stage/stages.ts";
import { name, start, type Running } from "../process/index.ts";
import { Producer } from "./producer.ts";
import { resubscribe, subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

const nobody = name<Counter>("nobody");

/** A producer that emits what it is told to, and a consumer of it, both of which report. */
async function pair(cancel: "permanent" | "temporary"): Promise<{
  readonly told: unknown[];
  readonly heard: unknown[];
  readonly queue: Running<Queue<number>>;
  readonly forwarder: Running<Forwarder>;
  readonly old: { readonly tag: number };
}> {
  const told: unknown[] = [];
  const heard: unknown[] = [];
  const queue = await start(Queue<number>, { args: [told] });
  const forwarder = await start(Forwarder<number>, { args: [heard] });
  const old = await subscribe(forwarder, { to: queue, maxDemand: 4, cancel });
  return { told, heard, queue, forwarder, old };
}

const tags = (...given: readonly { readonly tag: number }[]): number[] =>
  given.map(({ tag }) => tag);

describe("resubscribe", () => {
  it.each(["permanent", "temporary"] as const)(
    "S51, S54, G54, E5: in the place of a %s subscription: the producer ends the old and takes the new in one step; the consumer lives",
    (cancel) =>
      schedules(async ({ quiet }) => {
        const { told, heard, queue, forwarder, old } = await pair(cancel);
        await quiet();
        queue.cast.queue([1]);
        const renewed = await resubscribe(forwarder, old, { to: queue, maxDemand: 2 }, "shutdown");
        queue.cast.queue([2, 3, 4]);
        await quiet();
        const [before, after] = tags(old, renewed);
        expect(told).toEqual([
          ["subscribe", "consumer", before],
          ["demand", 4],
          ["cancel", "shutdown", before],
          ["subscribe", "consumer", after],
          ["demand", 1],
          ["demand", 1],
        ]);
        expect(heard.filter((report) => typeof (report as unknown[])[0] === "string")).toEqual([
          ["subscribe", "producer", before],
          ["subscribe", "producer", after],
          ["cancel", "shutdown", before],
        ]);
        expect(batches(heard).flat()).toEqual([1, 2, 3, 4]);
        expect(topology(forwarder).edges).toMatchObject([{ maxDemand: 2 }]);
        await forwarder.stop();
        await queue.stop();
      })(),
  );

  it(
    "S52, S55: where the old one is not there any more, it subscribes",
    schedules(async ({ quiet }) => {
      const { queue, heard, forwarder, old } = await pair("temporary");
      await resubscribe(forwarder, old, { to: queue });
      const unknown = await resubscribe(forwarder, old, { to: queue, maxDemand: 7 });
      await resubscribe(forwarder, { tag: -1 }, { to: queue, maxDemand: 8 });
      await quiet();
      expect(unknown.ref.pid).toBe(queue.pid);
      expect(topology(forwarder).edges.map(({ maxDemand }) => maxDemand)).toEqual([1_000, 7, 8]);
      expect(heard).toContainEqual(["cancel", "normal", old.tag]);
      await forwarder.stop();
      await queue.stop();
    }),
  );

  it(
    "S53: bad options, nobody there and no producer reject, and leave the old one as it was",
    schedules(async ({ quiet }) => {
      const { told, queue, forwarder, old } = await pair("permanent");
      await quiet();
      await expect(resubscribe(forwarder, old, { to: queue, maxDemand: 0 })).rejects.toMatchObject({
        code: "SLUICE_INVALID_OPTION",
        details: { option: "subscription.maxDemand", got: "0" },
      });
      await expect(resubscribe(forwarder, old, { to: nobody })).rejects.toMatchObject({
        code: "SLUICE_NO_PROCESS",
      });
      await expect(resubscribe(forwarder, old, { to: forwarder as never })).rejects.toMatchObject({
        code: "SLUICE_NOT_A_PRODUCER",
      });
      await quiet();
      expect(told).toHaveLength(2);
      expect(topology(forwarder).edges).toMatchObject([{ maxDemand: 4 }]);
      await forwarder.stop();
      await queue.stop();
    }),
  );

  it(
    "moves to another producer, which ends with neither side's death",
    schedules(async ({ quiet }) => {
      const { told, heard, queue, forwarder, old } = await pair("permanent");
      await using counter = await start(Counter, { args: [6] });
      await resubscribe(forwarder, old, { to: counter, maxDemand: 2, minDemand: 0 });
      await quiet();
      expect(told).toContainEqual(["cancel", "normal", old.tag]);
      expect(topology(forwarder).edges.map(({ from }) => from)).toEqual([counter.pid]);
      expect(batches(heard)).toEqual([
        [0, 1],
        [2, 3],
        [4, 5],
      ]);
      await forwarder.stop();
      await queue.stop();
    }),
  );

  it(
    "does not take an open fetch for one that nobody waits for",
    schedules(async ({ quiet }) => {
      const signals: AbortSignal[] = [];
      class Fetching extends Producer<number> {
        protected override handleDemand(_n: number, context: { readonly signal: AbortSignal }) {
          signals.push(context.signal);
          return new Promise<readonly number[]>((resolve) => {
            this.self.after(5, () => resolve([signals.length]));
            context.signal.addEventListener("abort", () => resolve([]));
          });
        }
      }
      const hand = byHand<number>();
      const fetching = await start(Fetching);
      const consumer = await start(hand.stage);
      const old = await subscribe(consumer, { to: fetching });
      hand.ask(1);
      await quiet();
      await resubscribe(consumer, old, { to: fetching });
      await quiet();
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      await consumer.stop();
      await fetching.stop();
    }),
  );

  it(
    "waits for an asynchronous handleCancel of the producer before it is taken",
    schedules(async ({ quiet, advance }) => {
      const order: string[] = [];
      class Careful extends Producer<number> {
        protected override async handleCancel(): Promise<void> {
          order.push("cancel");
          await advance(5);
          order.push("cancelled");
        }
        protected override handleSubscribe(): void {
          order.push("subscribe");
        }
      }
      const careful = await start(Careful);
      const consumer = await start(Forwarder);
      const old = await subscribe(consumer, { to: careful });
      await resubscribe(consumer, old, { to: careful });
      await advance(10);
      await quiet();
      expect(order).toEqual(["subscribe", "cancel", "cancelled", "subscribe"]);
      await careful.stop();
      await consumer.exited;
    }),
  );

  it(
    "works for a producer-consumer, which handles first what came before",
    schedules(async ({ quiet }) => {
      const heard: unknown[] = [];
      const queue = await start(Queue<number>);
      const doubler = await start(Doubler, { args: [heard] });
      const old = await subscribe(doubler, { to: queue, maxDemand: 2 });
      await quiet();
      await queue.call.queue([1, 2]);
      const renewed = await resubscribe(doubler, old, { to: queue, maxDemand: 2 });
      const seen = byHand<number>();
      const consumer = await start(seen.stage, {
        subscribeTo: [{ to: doubler, cancel: "temporary" }],
      });
      await quiet();
      expect(heard).not.toContainEqual(["cancel", "normal", old.tag]);
      seen.ask(4);
      await quiet();
      expect(seen.batches.flat()).toEqual([1, 1, 2, 2]);
      expect(heard.at(-1)).toEqual(["cancel", "normal", old.tag]);
      expect(topology(doubler).edges.map(({ maxDemand }) => maxDemand)).toEqual([2]);
      expect(renewed.ref.pid).toBe(queue.pid);
      await consumer.stop();
      await doubler.stop();
      await queue.stop();
    }),
  );
});
