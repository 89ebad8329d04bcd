import { describe, expect, it } from "vitest";
import { figures } from "../../test/stage/inbox.ts";
import { byHand, quietly } from "../../test/stage/probing.ts";
import { Doubler, Forwarder, Queue, schedules } from "../../test/stage/stages.ts";
import { refOf, sleep, start, type Running } from "../process/index.ts";
import type { ConsumerProbe } from "../testing/index.ts";
import { bufferedCount, setDemandMode } from "./demand-mode.ts";
import { partitionDispatcher } from "./partition-dispatcher.ts";
import type { ProducerOptions } from "./producer.ts";

/** Notes how many events have gone out when its turn comes. */
class Marking extends Queue<string> {
  readonly #log: string[];
  constructor(log: string[]) {
    super();
    this.#log = log;
  }
  mark(line: string): void {
    this.self.afterBuffered(() => {
      this.#log.push(`${line} after ${figures(refOf<Marking>(this))["done"]}`);
    });
  }
  markSlowly(line: string): void {
    this.self.afterBuffered(async () => {
      await sleep(5);
      this.#log.push(`${line} after ${figures(refOf<Marking>(this))["done"]}`);
    });
  }
  emitThenLeave(events: readonly string[]): void {
    this.emit(events);
    this.self.afterBuffered(() => this.self.stop());
  }
}

interface Scene {
  readonly log: string[];
  readonly marking: Running<Marking>;
  readonly hand: ConsumerProbe<string>;
  readonly ask: (count: number) => Promise<void>;
  readonly advance: (ms: number) => Promise<void>;
}

const scene = (
  options: ProducerOptions<string>,
  program: (scene: Scene) => Promise<void>,
): (() => Promise<void>) =>
  schedules(async ({ quiet, advance }) => {
    using _silent = quietly();
    const log: string[] = [];
    const hand = byHand<string>();
    const marking = await start(Marking, { args: [log], ...options });
    await using _consumer = await start(hand.stage, {
      subscribeTo: [{ to: marking, cancel: "temporary" }],
    });
    const ask = async (count: number): Promise<void> => {
      hand.ask(count);
      await quiet();
    };
    await quiet();
    await program({ log, marking, hand, ask, advance });
    await marking.stop();
  });

describe("afterBuffered of a producer", () => {
  it(
    "S35, G36, G37, BU6: with nothing buffered runs as the next message and is not kept",
    scene({}, async ({ log, marking, ask }) => {
      await marking.call.mark("sync");
      marking.cast.mark("async");
      await ask(0);
      expect(log).toEqual(["sync after 0", "async after 0"]);
    }),
  );

  it.each([
    ["S36, E14, BU1: without a limit", Infinity, ["a", "b", "c"]],
    ["S37, E14, BU1: behind one event", 3, ["a"]],
    ["S38, E14, BU1: in the middle of a buffer", 5, ["a", "b", "c"]],
    ["S39, E14, BU1: behind a full buffer", 3, ["a", "b", "c"]],
  ])("%s, waits, takes no place and is not counted", async (_row, bufferSize, events) => {
    await scene({ bufferSize }, async ({ log, marking, ask }) => {
      await marking.call.queue(events);
      await marking.call.mark("first");
      await marking.call.mark("second");
      expect(bufferedCount(marking)).toBe(events.length);
      expect(log).toEqual([]);
      await ask(events.length - 1);
      expect(log).toEqual([]);
      await ask(1);
      expect(log).toEqual([`first after ${events.length}`, `second after ${events.length}`]);
    })();
  });

  it(
    "E14: takes no place that an event could have",
    scene({ bufferSize: 3 }, async ({ marking, ask, hand }) => {
      await marking.call.queue(["a"]);
      await marking.call.mark("first");
      await marking.call.mark("second");
      await marking.call.queue(["b", "c"]);
      expect(bufferedCount(marking)).toBe(3);
      expect(figures(marking)).toMatchObject({ buffered: 3, dropped: 0 });
      await ask(3);
      expect(hand.batches.flat()).toEqual(["a", "b", "c"]);
    }),
  );

  it(
    "S40, G34, BU8, BU10: in a buffer that moves, each keeps its place: what is asked for stops there, and goes on behind it",
    scene({ bufferSize: 3 }, async ({ log, marking, ask, hand }) => {
      await marking.call.queue(["a", "b", "c"]);
      await marking.call.mark("first");
      await ask(2);
      await marking.call.queue(["d", "e"]);
      await marking.call.mark("second");
      expect([hand.batches, log]).toEqual([[["a", "b"]], []]);
      await ask(5);
      expect(hand.batches).toEqual([["a", "b"], ["c"], ["d", "e"]]);
      expect(log).toEqual(["first after 3", "second after 5"]);
      // Of the 5, 3 were there: the rest was demanded.
      expect(figures(marking)).toMatchObject({ asked: 2, buffered: 0 });
    }),
  );

  it(
    "S41, G33, G35, BU5: whose event is let go, runs, and is not let go itself",
    scene({ bufferSize: 2, bufferKeep: "last" }, async ({ log, marking, ask }) => {
      await marking.call.queue(["a"]);
      await marking.call.mark("first");
      await marking.call.queue(["b"]);
      await marking.call.mark("second");
      await marking.call.queue(["c"]);
      await marking.call.mark("third");
      expect(log).toEqual(["first after 0"]);
      await marking.call.queue(["d", "e", "f", "g"]);
      await marking.call.mark("fourth");
      expect(log).toEqual(["first after 0", "second after 0", "third after 0"]);
      await ask(2);
      expect(log.at(-1)).toBe("fourth after 2");
    }),
  );

  it(
    "S42, BU9: several at one place run in the order they were sent",
    scene({}, async ({ log, marking, ask, hand }) => {
      await marking.call.queue(["a", "b", "c"]);
      for (const line of ["d", "e", "f"]) await marking.call.mark(line);
      await marking.call.queue(["g", "h"]);
      await marking.call.mark("i");
      await ask(10);
      expect(hand.batches).toEqual([
        ["a", "b", "c"],
        ["g", "h"],
      ]);
      expect(log).toEqual(["d after 3", "e after 3", "f after 3", "i after 5"]);
    }),
  );

  it(
    "holds what is behind it until it has run, asynchronously too, and nothing is demanded that waits there",
    scene({}, async ({ log, marking, hand, ask, advance }) => {
      await marking.call.queue(["a"]);
      await marking.call.markSlowly("slow");
      await marking.call.queue(["b"]);
      await ask(2);
      expect([hand.batches, log]).toEqual([[["a"]], []]);
      await advance(10);
      expect([hand.batches, log]).toEqual([[["a"], ["b"]], ["slow after 1"]]);
      expect(figures(marking)).toMatchObject({ asked: 0, buffered: 0 });
    }),
  );

  it(
    "keeps its place in what an accumulating producer holds",
    scene({ demand: "accumulate" }, async ({ log, marking, hand, ask }) => {
      await marking.call.queue(["a"]);
      await marking.call.mark("between");
      await marking.call.queue(["b"]);
      await ask(3);
      setDemandMode(marking, "forward");
      await ask(0);
      expect([hand.batches, log]).toEqual([[["a"], ["b"]], ["between after 1"]]);
    }),
  );

  it(
    "G39: brings a producer that emits its last events to an end behind them",
    scene({}, async ({ marking, hand, ask }) => {
      marking.cast.emitThenLeave(["a", "b"]);
      await ask(1);
      await ask(1);
      expect(await marking.exited).toBe("normal");
      expect(hand.batches).toEqual([["a"], ["b"]]);
    }),
  );
});

describe("afterBuffered of other stages", () => {
  it(
    "S32, G37: of a consumer runs at once",
    schedules(async () => {
      const reports: unknown[] = [];
      await using consumer = await start(Forwarder<number>, { args: [reports] });
      await consumer.call.note("sync");
      consumer.cast.note("async");
      await consumer.call.note("last");
      await consumer.call.note("over");
      expect(reports.slice(0, 3)).toEqual(["sync", "async", "last"]);
    }),
  );

  it(
    "S33, S34, G37: of a producer-consumer at once where nothing waits, else behind what waits before it and behind it",
    schedules(async ({ quiet }) => {
      const reports: unknown[] = [];
      const hand = byHand<number>();
      await using queue = await start(Queue<number>);
      await using doubler = await start(Doubler, { args: [reports], subscribeTo: [queue] });
      const lines = (): unknown[] => reports.filter((report) => typeof report === "string");
      await doubler.call.note("at once");
      await quiet();
      expect(lines()).toEqual(["at once"]);
      await queue.call.queue([1, 2]);
      await quiet();
      await doubler.call.note("behind one");
      doubler.cast.note("and another");
      await using _consumer = await start(hand.stage, {
        subscribeTo: [{ to: doubler, cancel: "temporary" }],
      });
      await quiet();
      expect(lines()).toEqual(["at once"]);
      hand.ask(1);
      await quiet();
      // All four are made, one is out.
      expect(lines()).toEqual(["at once"]);
      hand.ask(3);
      await quiet();
      expect(lines()).toEqual(["at once", "behind one", "and another"]);
    }),
  );
});

describe("afterBuffered behind partitions", () => {
  it(
    "G38, E14: waits for the partitions that hold events at that moment, and for no other",
    schedules(async ({ quiet }) => {
      const log: string[] = [];
      const [a, b] = [byHand<string>(), byHand<string>()];
      await using marking = await start(Marking, {
        args: [log],
        dispatcher: partitionDispatcher({
          partitions: ["a", "b", "nobody's"],
          hash: (event: string) => event[0],
        }),
      });
      await using _a = await start(a.stage, { subscribeTo: [{ to: marking, partition: "a" }] });
      await using _b = await start(b.stage, { subscribeTo: [{ to: marking, partition: "b" }] });
      a.ask(2);
      b.ask(1);
      await quiet();
      // The demand of `b` is used up to nothing, and nothing waits there.
      await marking.call.queue(["a1", "b1"]);
      await marking.call.mark("nothing waits");
      await quiet();
      expect(log).toEqual(["nothing waits after 2"]);
      await marking.call.queue(["a2", "b2"]);
      await marking.call.mark("behind b2");
      await quiet();
      expect(log).toHaveLength(1);
      b.ask(1);
      await quiet();
      expect(log).toEqual(["nothing waits after 2", "behind b2 after 4"]);
      expect(bufferedCount(marking)).toBe(0);
    }),
  );
});
