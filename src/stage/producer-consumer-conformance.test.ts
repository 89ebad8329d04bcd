import { describe, expect, it } from "vitest";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import {
  Counter,
  Discarder,
  Doubler,
  Forwarder,
  Postponer,
  Queue,
  batches,
  schedules,
  type Reports,
} from "../../test/stage/stages.ts";
import {
  Process,
  child,
  name,
  start,
  startSupervisor,
  stop,
  type Running,
} from "../process/index.ts";
import type { ExitReason } from "../support/index.ts";
import { ProducerConsumer } from "./producer-consumer.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

/** The batches of a doubler and of its consumer, which asks for `below` at once, of a source of `count` numbers. */
async function doubled(
  above: { readonly maxDemand: number; readonly minDemand: number },
  below: { readonly maxDemand: number; readonly minDemand: number },
  first: "processor" | "consumer",
  count: number,
  quiet: () => Promise<void>,
): Promise<{ readonly processed: number[][]; readonly consumed: number[][] }> {
  const [inner, outer]: [Reports, Reports] = [[], []];
  await using counter = await start(Counter, { args: [count] });
  await using doubler = await start(Doubler, { args: [inner] });
  await using consumer = await start(Forwarder<number>, { args: [outer] });
  const steps = [
    () => subscribe(doubler, { to: counter, cancel: "temporary", ...above }),
    () => subscribe(consumer, { to: doubler, cancel: "temporary", ...below }),
  ];
  for (const step of first === "processor" ? steps : steps.toReversed()) {
    await step();
    await quiet();
  }
  return { processed: batches(inner), consumed: batches(outer) };
}

const cut = (numbers: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(numbers.length / size) }, (_, index) =>
    numbers.slice(index * size, (index + 1) * size),
  );
const twice = (numbers: readonly number[]): number[] => numbers.flatMap((n) => [n, n]);

describe("the demand through a producer-consumer", () => {
  it.each([
    ["S9: at 80 %, the processor there first", "processor"],
    ["S11: at 80 %, the consumer there first", "consumer"],
  ] as const)("%s: batches of 20 are processed, lists are cut by the demand below", (_row, first) =>
    schedules(async ({ quiet }) => {
      const { processed, consumed } = await doubled(
        { maxDemand: 100, minDemand: 80 },
        { maxDemand: 100, minDemand: 50 },
        first,
        200,
        quiet,
      );
      expect(processed).toEqual(cut(range(200), 20));
      expect(consumed.flat()).toEqual(twice(range(200)));
      // A batch of 20 makes 40; where less is asked for than that, the list is cut, and never above the window.
      expect(consumed[0]).toEqual(twice(range(20)));
      expect(consumed.some(({ length }) => length < 40)).toBe(true);
      expect(Math.max(...consumed.map(({ length }) => length))).toBeLessThanOrEqual(50);
    })(),
  );

  it.each([
    ["S10: at 20 %, the processor there first", "processor"],
    ["S12: at 20 %, the consumer there first", "consumer"],
  ] as const)("%s: batches of 80 and 20, lists of half the window below", (_row, first) =>
    schedules(async ({ quiet }) => {
      const { processed, consumed } = await doubled(
        { maxDemand: 100, minDemand: 20 },
        { maxDemand: 100, minDemand: 50 },
        first,
        100,
        quiet,
      );
      expect(processed.slice(0, 2)).toEqual([range(80), range(20, 80)]);
      expect(consumed).toEqual(cut(twice(range(100)), 50));
    })(),
  );

  it(
    "S13: processes nothing more when nobody below asks",
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      const hand = byHand<number>();
      await using counter = await start(Counter);
      await using postponer = await start(Postponer, {
        args: [reports],
        subscribeTo: [{ to: counter, maxDemand: 10, minDemand: 8 }],
      });
      await using _consumer = await start(hand.stage, {
        subscribeTo: [{ to: postponer, cancel: "temporary" }],
      });
      hand.ask(10);
      await quiet();
      expect(reports).toEqual(cut(range(10), 2));
      expect(hand.batches.flat()).toEqual(range(10));
    }),
  );

  it(
    "S14: goes on pulling when it emits nothing: events that it drops use no demand up",
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      const hand = byHand<number>();
      await using counter = await start(Counter, { args: [100] });
      await using discarder = await start(Discarder, {
        args: [reports],
        subscribeTo: [{ to: counter, maxDemand: 10, minDemand: 8 }],
      });
      await using _consumer = await start(hand.stage, {
        subscribeTo: [{ to: discarder, cancel: "temporary" }],
      });
      await quiet();
      expect(reports).toEqual([]);
      hand.ask(1);
      await quiet();
      expect(reports.flat()).toEqual(range(100));
    }),
  );

  it(
    "S17: hears of its producer's end behind the events that wait, and gets none afterwards",
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      const hand = byHand<number>();
      await using counter = await start(Counter);
      await using doubler = await start(Doubler, { args: [reports] });
      const from = await subscribe(doubler, { to: counter, maxDemand: 4, cancel: "temporary" });
      await quiet();
      from.cancel("shutdown");
      await quiet();
      expect(reports).toEqual([["subscribe", "producer", from.tag]]);
      await using _consumer = await start(hand.stage, {
        subscribeTo: [{ to: doubler, cancel: "temporary" }],
      });
      hand.ask(100);
      await quiet();
      expect(reports.slice(2)).toEqual([
        [0, 1],
        [2, 3],
        ["cancel", "shutdown", from.tag],
      ]);
      expect(hand.batches.flat()).toEqual(twice(range(4)));
    }),
  );
});

describe("a producer-consumer and its consumers", () => {
  it(
    "S84, S86, S87: is told that one subscribes, as `consumer`, that it cancels, and that it is gone",
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      await using doubler = await start(Doubler, { args: [reports] });
      const consumer = await start(Forwarder<number>);
      const one = await subscribe(consumer, { to: doubler, cancel: "temporary" });
      one.cancel({ shutdown: "oops" });
      await quiet();
      const two = await subscribe(consumer, { to: doubler });
      await quiet();
      await stop(consumer, "shutdown");
      await quiet();
      expect(reports).toEqual([
        ["subscribe", "consumer", one.tag],
        ["cancel", { shutdown: "oops" }, one.tag],
        ["subscribe", "consumer", two.tag],
        ["down", "shutdown", two.tag],
      ]);
    }),
  );

  it.each([
    [
      "S85, G4: cannot be asked by hand from below",
      "consumer",
      "manual",
      '"automatic" or nothing: the consumer says who asks',
    ],
    [
      "S89, G4: ends for a bad answer about its producer",
      "producer",
      "sometimes",
      '"automatic", "manual" or nothing',
    ],
  ] as const)("%s", (_row, about, answer, expected) =>
    schedules(async () => {
      using _silent = quietly();
      class Answering extends ProducerConsumer<number, number> {
        protected override handleEvents(numbers: readonly number[]): readonly number[] {
          return numbers;
        }
        protected override handleSubscribe(role: "producer" | "consumer"): "automatic" {
          return (role === about ? answer : "automatic") as never;
        }
      }
      const crash = {
        code: "SLUICE_INVALID_RETURN",
        details: { callback: "handleSubscribe", got: `"${answer}"`, expected },
      };
      await using counter = await start(Counter, { args: [1] });
      const starting = start(Answering, { subscribeTo: [counter] });
      if (about === "producer") {
        await expect(starting).rejects.toMatchObject({ cause: crash });
        return;
      }
      const answering = await starting;
      await using _consumer = await start(Forwarder<number>, {
        subscribeTo: [{ to: answering, cancel: "temporary" }],
      });
      expect(await answering.exited).toMatchObject({ crash });
    })(),
  );
});

describe("a producer-consumer and its producer", () => {
  it(
    "S88, S90: is told that it subscribed, as `producer`; temporary, it survives the cancel",
    schedules(async ({ quiet }) => {
      const reports: Reports = [];
      await using queue = await start(Queue<number>);
      await using doubler = await start(Doubler, { args: [reports] });
      const from = await subscribed(doubler, queue, "temporary");
      from.cancel({ shutdown: "oops" });
      await quiet();
      expect(reports).toEqual([
        ["subscribe", "producer", from.tag],
        ["cancel", { shutdown: "oops" }, from.tag],
      ]);
      expect(topology(doubler).nodes).toHaveLength(1);
    }),
  );

  it(
    "S91: permanent, it ends with the reason of the cancel, after its handleCancel",
    schedules(async () => {
      const reports: Reports = [];
      await using queue = await start(Queue<number>);
      const doubler = await start(Doubler, { args: [reports] });
      const from = await subscribed(doubler, queue, "permanent");
      from.cancel({ shutdown: "oops" });
      expect(await doubler.exited).toEqual({ shutdown: "oops" });
      expect(reports.at(-1)).toEqual(["cancel", { shutdown: "oops" }, from.tag]);
    }),
  );

  const crash = { crash: "gone" };
  it.each([
    ["S92: killed, temporary: it survives", "temporary", crash, true],
    ["S93: gone in order, transient: it survives", "transient", "shutdown", true],
    ["S94: crashed, transient: it ends", "transient", crash, false],
    ["S95: gone, permanent: it ends", "permanent", "normal", false],
  ] as const)("%s", (_row, cancel, reason: ExitReason, survives) =>
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const reports: Reports = [];
      const queue = await start(Queue<number>);
      const doubler = await start(Doubler, { args: [reports] });
      const { tag } = await subscribed(doubler, queue, cancel);
      await queue.stop(reason);
      await quiet();
      expect(reports.at(-1)).toEqual(["down", reason, tag]);
      expect(topology(doubler).nodes).toHaveLength(survives ? 1 : 0);
      if (survives) await doubler.stop();
      else expect(await doubler.exited).toEqual(reason);
    })(),
  );

  it(
    "S96: shows its peers on both sides, and what waits where",
    schedules(async ({ quiet }) => {
      const counter = name<Counter>("counter");
      const doubler = name<Doubler>("doubler");
      const hand = byHand<number>();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          counter: child(Counter, { args: [10], name: counter }),
          doubler: child(Doubler, {
            name: doubler,
            subscribeTo: [{ to: counter, maxDemand: 4, minDemand: 0 }],
          }),
          hand: child(hand.stage, { subscribeTo: [{ to: doubler, maxDemand: 3 }] }),
        },
      });
      hand.ask(1);
      await quiet();
      const { nodes, edges } = topology(app);
      const [, above, middle, below] = nodes;
      expect(edges).toMatchObject([
        { from: above!.pid, to: middle!.pid, maxDemand: 4 },
        { from: middle!.pid, to: below!.pid, maxDemand: 3 },
      ]);
      expect(middle).toMatchObject({
        kind: "producer_consumer",
        figures: { asked: 0, waiting: 4, buffered: 7, done: 4 },
      });
    }),
  );

  it(
    "G27, S66: has terminate, and monitors of its own that touch no subscription",
    schedules(async ({ quiet }) => {
      const told: unknown[] = [];
      class Silent extends Process {}
      class Ending extends Doubler {
        watch(other: Running<Process>): void {
          this.self.monitor(other, (reason) => void told.push(["down", reason]));
        }
        protected override terminate(reason: ExitReason): void {
          told.push(["terminate", reason]);
        }
      }
      await using queue = await start(Queue<number>);
      const ending = await start(Ending, { subscribeTo: [queue] });
      const silent = await start(Silent);
      await ending.call.watch(silent);
      await silent.stop();
      await quiet();
      expect(topology(ending).edges).toHaveLength(1);
      await ending.stop("shutdown");
      expect(told).toEqual([
        ["down", "normal"],
        ["terminate", "shutdown"],
      ]);
    }),
  );
});

const subscribed = (
  doubler: Running<Doubler>,
  queue: Running<Queue<number>>,
  cancel: "permanent" | "transient" | "temporary",
): ReturnType<typeof subscribe> => subscribe(doubler, { to: queue, cancel });
