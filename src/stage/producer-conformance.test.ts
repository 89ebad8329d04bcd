import { describe, expect, it } from "vitest";
import { figures } from "../../test/stage/inbox.ts";
import { byHand, cellOf, quietly } from "../../test/stage/probing.ts";
import { Counter, Forwarder, Queue, batches, schedules } from "../../test/stage/stages.ts";
import { Process, child, info, name, start, startSupervisor, stop } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import type { ConsumerEngine } from "./consumer-engine.ts";
import { bufferedCount } from "./demand-mode.ts";
import { Producer } from "./producer.ts";
import { ask, events, subscribe as subscribeMessage, transmit } from "./protocol.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

/** The lines of the log while it is open. */
function logs(): { readonly lines: string[] } & Disposable {
  const lines: string[] = [];
  const attached = attach("sluice.log", ({ level, message }) => lines.push(`${level}: ${message}`));
  return { lines, [Symbol.dispose]: () => attached[Symbol.dispose]() };
}

describe("the buffer of a producer", () => {
  /** Counts, and lets numbers be put before the count. */
  class Pushed extends Counter {
    push(numbers: readonly number[]): void {
      this.emit(numbers);
    }
    protected override handleInfo(numbers: unknown): void {
      this.emit(numbers as readonly number[]);
    }
  }

  it(
    "S24, G17: what was pushed without demand, by call or info, comes first, in order and in its own lists",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      await using pushed = await start(Pushed, { args: [7] });
      await pushed.call.push([-1, -2, -3]);
      info(pushed, [-4, -5]);
      await quiet();
      await using _consumer = await start(Forwarder<number>, {
        args: [reports],
        subscribeTo: [{ to: pushed, maxDemand: 4, minDemand: 0 }],
      });
      await quiet();
      expect(batches(reports)).toEqual([[-1, -2, -3, -4], [-5], [0, 1, 2], [3, 4, 5, 6]]);
    }),
  );

  it(
    "S31, G32, E14: tells how many events wait in it: 5, 8, and 0 when they are taken",
    schedules(async ({ quiet }) => {
      const hand = byHand<number>();
      for (const bufferSize of [100, Infinity]) {
        const queue = await start(Queue<number>, { bufferSize });
        await queue.call.queue([1, 2, 3, 4, 5]);
        await queue.call.note("no event");
        expect(bufferedCount(queue)).toBe(5);
        await queue.call.queue([6, 7, 8]);
        expect(bufferedCount(queue)).toBe(8);
        const consumer = await start(hand.stage, {
          subscribeTo: [{ to: queue, cancel: "temporary" }],
        });
        hand.ask(10);
        await quiet();
        expect(bufferedCount(queue)).toBe(0);
        await queue.stop();
        await consumer.stop();
      }
    }),
  );

  /** Is told what its buffer lets go, and says whether that is logged. */
  class Telling extends Queue<number> {
    readonly #told: number[];
    readonly #answer: boolean | undefined;
    constructor(told: number[], answer?: boolean) {
      super();
      this.#told = told;
      this.#answer = answer;
    }
    protected override handleDiscarded(count: number): boolean | void {
      this.#told.push(count);
      return this.#answer;
    }
  }

  it.each([
    ["S28, G31: that says nothing about it", undefined, 1],
    ["S29, G31: that lets the log be written", true, 1],
    ["S30, G31: that suppresses the log", false, 0],
  ])("%s is told once per batch how many were let go", (_row, answer, logged) =>
    schedules(async () => {
      using log = logs();
      const told: number[] = [];
      const counted: number[] = [];
      using _count = attach("sluice.stage.discarded", ({ count }) => counted.push(count));
      await using telling = await start(Telling, {
        args: [told, answer],
        bufferSize: 5,
        bufferKeep: "first",
      });
      await telling.call.queue([1, 2, 3]);
      expect(told).toEqual([]);
      await telling.call.queue([4, 5, 6, 7, 8]);
      expect([told, counted]).toEqual([[3], [3]]);
      expect(log.lines).toEqual(
        Array.from(
          { length: logged },
          () => `warning: ${telling.pid} discarded 3 events: its buffer of 5 is full`,
        ),
      );
      expect(figures(telling)).toMatchObject({ buffered: 5, dropped: 3 });
    })(),
  );

  it(
    "whose handleDiscarded throws is a crash of the callback that emitted",
    schedules(async () => {
      using _silent = quietly();
      class Broken extends Queue<number> {
        protected override handleDiscarded(): never {
          throw new RangeError("full");
        }
      }
      const broken = await start(Broken, { bufferSize: 1 });
      await expect(broken.call.queue([1, 2])).rejects.toMatchObject({ code: "SLUICE_EXITED" });
      expect(await broken.exited).toMatchObject({ crash: { message: "full" } });
    }),
  );
});

describe("the callbacks of a producer", () => {
  it(
    "S59, S61, S62, G20, G24, G25: is told of a subscription, of a cancel, and of a consumer that is gone",
    schedules(async ({ quiet }) => {
      const told: unknown[] = [];
      await using queue = await start(Queue<number>, { args: [told] });
      const consumer = await start(Forwarder<number>);
      const one = await subscribe(consumer, { to: queue, cancel: "temporary", maxDemand: 1 });
      one.cancel("shutdown");
      await quiet();
      const two = await subscribe(consumer, { to: queue, maxDemand: 1 });
      await quiet();
      await consumer.stop({ shutdown: "oops" });
      await quiet();
      expect(told).toEqual([
        ["subscribe", "consumer", one.tag],
        ["demand", 1],
        ["cancel", "shutdown", one.tag],
        ["subscribe", "consumer", two.tag],
        ["down", { shutdown: "oops" }, two.tag],
      ]);
    }),
  );

  it(
    "S64: a reply can go before the events of its call",
    schedules(async ({ advance }) => {
      class Replying extends Producer<number> {
        replyFirst(numbers: readonly number[]): string {
          this.self.after(0, () => this.emit(numbers));
          return "replied";
        }
      }
      const hand = byHand<number>();
      hand.ask(3);
      await using replying = await start(Replying);
      await using _consumer = await start(hand.stage, { subscribeTo: [replying] });
      await advance(1);
      expect(await replying.call.replyFirst([1, 2])).toBe("replied");
      expect(figures(replying)["done"]).toBe(0);
      await advance(1);
      expect(hand.batches).toEqual([[1, 2]]);
    }),
  );

  it(
    "S65, S67, G27: a call may stop it and is still answered; terminate runs with the reason",
    schedules(async () => {
      const told: unknown[] = [];
      const queue = await start(Queue<number>, { args: [told] });
      expect(await queue.call.leave("shutdown")).toBe("left");
      expect(await queue.exited).toBe("shutdown");
      const other = await start(Queue<number>, { args: [told] });
      await stop(other, "normal");
      expect(told).toEqual([
        ["terminate", "shutdown"],
        ["terminate", "normal"],
      ]);
    }),
  );

  it(
    "S66, G26: the down of somebody else is its own affair, and ends no subscription",
    schedules(async ({ quiet }) => {
      const told: unknown[] = [];
      class Watching extends Queue<number> {
        watch(other: Parameters<Watching["self"]["monitor"]>[0]): void {
          this.self.monitor(other, (reason) => void told.push(reason));
        }
      }
      class Silent extends Process {}
      await using watching = await start(Watching);
      await using consumer = await start(Forwarder<number>, { subscribeTo: [watching] });
      const silent = await start(Silent);
      await watching.call.watch(silent);
      await silent.stop("shutdown");
      await quiet();
      expect(told).toEqual(["shutdown"]);
      expect(topology(consumer).edges).toHaveLength(1);
    }),
  );

  it(
    "S68, G28: shows its kind, its demand, its buffer and what became of its events; its consumers show the subscriptions",
    schedules(async ({ quiet }) => {
      const queue = name<Queue<number>>("queue");
      const hand = byHand<number>();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          queue: child(Queue<number>, { name: queue }),
          hand: child(hand.stage, { subscribeTo: [{ to: queue, maxDemand: 9 }] }),
        },
      });
      hand.ask(1);
      await quiet();
      await queue.call.queue([1, 2, 3]);
      await quiet();
      const [, node] = topology(app).nodes;
      expect(node).toMatchObject({
        label: "queue",
        kind: "producer",
        figures: { asked: 0, buffered: 2, offers: 0, done: 1, dropped: 0 },
      });
      expect(topology(app).edges).toMatchObject([{ from: node!.pid, maxDemand: 9 }]);
    }),
  );
});

describe("protocol messages that a producer cannot place", () => {
  it(
    "S97, G52: a second subscription under one tag is none: the first goes on, and a line is logged",
    schedules(async ({ quiet }) => {
      using log = logs();
      const told: unknown[] = [];
      await using queue = await start(Queue<number>, { args: [told] });
      await using consumer = await start(Forwarder<number>);
      const { tag } = await subscribe(consumer, { to: queue, maxDemand: 2 });
      await quiet();
      const { wanted: terms } = (cellOf(consumer).engine as ConsumerEngine).inlet.intakes.get(tag)!;
      transmit(
        cellOf(queue),
        subscribeMessage(tag, cellOf(consumer).id, { ...terms, inOrder: true }),
      );
      await quiet();
      expect(told).toEqual([
        ["subscribe", "consumer", tag],
        ["demand", 2],
      ]);
      expect(log.lines).toEqual([
        `error: ${queue.pid} has subscription ${tag} already: nothing changes`,
      ]);
      expect(topology(consumer).edges).toHaveLength(1);
    }),
  );

  it(
    "S98, G58: an ask of an unknown subscription is let go",
    schedules(async ({ quiet }) => {
      using log = logs();
      const told: unknown[] = [];
      await using queue = await start(Queue<number>, { args: [told] });
      transmit(cellOf(queue), ask(-1, 10));
      await queue.call.queue([1]);
      await quiet();
      expect([told, log.lines, bufferedCount(queue)]).toEqual([[], [], 1]);
    }),
  );

  it(
    "S101, G59: it survives a message for consumers, and says so",
    schedules(async ({ quiet }) => {
      using log = logs();
      await using queue = await start(Queue<number>);
      cellOf(queue).send(events(1, [1], 0));
      expect(await queue.call.queue([])).toBe("queued");
      await quiet();
      expect(log.lines).toEqual([
        `error: ${queue.pid} is a producer and got a message between stages of kind 19: ignored`,
      ]);
    }),
  );
});

describe("lives of stages", () => {
  it(
    "G67: a subscription is no link: a consumer's crash leaves its producer alive, and its supervisor restarts it alone",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const queue = name<Queue<number>>("queue");
      const crashed: unknown[] = [];
      class Fragile extends Forwarder<number> {
        protected override handleEvents(numbers: readonly number[]): void {
          crashed.push(numbers);
          if (crashed.length === 1) throw new RangeError("fragile");
        }
      }
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          queue: child(Queue<number>, { name: queue }),
          fragile: child(Fragile, { subscribeTo: [{ to: queue, maxDemand: 1 }] }),
        },
      });
      const pid = queue.whereis()!.pid;
      await quiet();
      await queue.call.queue([1, 2]);
      await quiet();
      expect([crashed, queue.whereis()!.pid]).toEqual([[[1], [2]], pid]);
      expect(topology(app).edges).toHaveLength(1);
    }),
  );

  it(
    "G67: rest_for_one with the producer first: its crash restarts both, once",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const queue = name<Queue<number>>("queue");
      let restarts = 0;
      using _count = attach("sluice.supervisor.restarted", () => restarts++);
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        maxRestarts: 1,
        children: {
          queue: child(Queue<number>, { name: queue }),
          ...Object.fromEntries(
            ["a", "b", "c", "d", "e"].map((id) => [
              id,
              child(Forwarder<number>, { subscribeTo: [queue] }),
            ]),
          ),
        },
      });
      await quiet();
      queue.cast.leave({ crash: "gone" });
      await quiet();
      expect(topology(app).edges).toHaveLength(5);
      expect(topology(app).edges.every(({ from }) => from === queue.whereis()!.pid)).toBe(true);
      expect(restarts).toBeGreaterThan(0);
    }),
  );

  it(
    "G68: a stop from outside runs terminate and resolves when the stage is gone, also for one that is gone already",
    schedules(async () => {
      const told: unknown[] = [];
      const queue = await start(Queue<number>, { args: [told] });
      await queue.stop({ shutdown: "enough" });
      await queue.stop();
      expect([told, await queue.exited]).toEqual([
        [["terminate", { shutdown: "enough" }]],
        { shutdown: "enough" },
      ]);
    }),
  );
});
