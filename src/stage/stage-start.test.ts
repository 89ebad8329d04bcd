import { describe, expect, it } from "vitest";
import { figures } from "../../test/stage/inbox.ts";
import { byHand, quietly } from "../../test/stage/probing.ts";
import { Counter, Doubler, Forwarder, Queue, schedules } from "../../test/stage/stages.ts";
import {
  Process,
  child,
  info,
  name,
  names,
  sleep,
  start,
  startSupervisor,
  type AnyProcessClass,
  type Running,
  type Self,
} from "../process/index.ts";
import type { SluiceError } from "../support/index.ts";
import { attach } from "../telemetry/index.ts";
import { Consumer } from "./consumer.ts";
import { Producer } from "./producer.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

/** Starts any class with any options, as JavaScript would let one. */
const begin = start as unknown as (
  stage: AnyProcessClass,
  options?: object,
) => Promise<Running<Process>>;

const startsOf = (
  init: (stage: Process) => unknown,
  ended: string[],
): readonly AnyProcessClass[] => {
  const ends = (): void => void ended.push("terminated");
  class P extends Counter {
    protected override init = (): void => void init(this);
    protected override terminate = ends;
  }
  class PC extends Doubler {
    protected override init = (): void => void init(this);
    protected override terminate = ends;
  }
  class C extends Forwarder {
    protected override init = (): void => void init(this);
    protected override terminate = ends;
  }
  return [P, PC, C];
};

describe("the start of a stage", () => {
  it.each([
    ["S58: a producer", 0],
    ["S83: a producer-consumer", 1],
    ["S69: a consumer", 2],
  ])(
    "%s, G2, G3: rejects when init throws or the name is taken, and nothing terminates that was never up; init that stops ends in order",
    (_row, kind) =>
      schedules(async () => {
        using _silent = quietly();
        const ended: string[] = [];
        const of = (init: (stage: Process) => unknown): AnyProcessClass =>
          startsOf(init, ended)[kind]!;
        const boom = new Error("boom");
        const throwing = of(() => {
          throw boom;
        });
        await expect(begin(throwing)).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          cause: boom,
        });
        const taken = name("taken");
        await using holder = await begin(
          of(() => {}),
          { name: taken },
        );
        await expect(
          begin(
            of(() => {}),
            { name: taken },
          ),
        ).rejects.toMatchObject({
          code: "SLUICE_ALREADY_REGISTERED",
          details: { key: "taken", holder: { pid: holder.pid } },
        });
        expect(ended).toEqual([]);
        const stopping = await begin(
          of((stage) => (stage as unknown as { self: Self }).self.stop("shutdown")),
        );
        expect([await stopping.exited, ended]).toEqual(["shutdown", ["terminated"]]);
      })(),
  );

  const options = "one of the options args, name, ";
  it.each([
    ["S58, G6: a producer", Counter, { unknown: 1 }, "Counter: unknown", "1", options],
    ["S83, G6: a producer-consumer", Doubler, { unknown: 1 }, "Doubler: unknown", "1", options],
    ["S69, G6: a consumer", Forwarder, { unknown: 1 }, "Forwarder: unknown", "1", options],
    ["G9: a consumer", Forwarder, { bufferSize: 1 }, "Forwarder: bufferSize", "1", options],
    [
      "G8: a producer-consumer",
      Doubler,
      { demand: "accumulate" },
      "Doubler: demand",
      '"accumulate"',
      options,
    ],
    ["G7: a producer", Counter, { subscribeTo: [] }, "Counter: subscribeTo", "[]", options],
  ])(
    "%s refuses an option it has not, where it is written: %o",
    async (_row, stage, given, option, got, expected) => {
      const refused = await begin(stage as AnyProcessClass, given).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "SLUICE_INVALID_OPTION", details: { option, got } });
      expect((refused as SluiceError<"SLUICE_INVALID_OPTION">).details.expected).toContain(
        expected,
      );
      expect(() => child(stage as never, given as never)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    },
  );

  it.each([
    ["S58, G7: a producer", Counter, { bufferSize: -1 }, "bufferSize", "-1"],
    ["S58, G11: a producer", Counter, { dispatcher: 0 }, "dispatcher", "0"],
    ["S58, G7: a producer", Counter, { demand: "both" }, "demand", '"both"'],
    ["S83, G8, G11: a producer-consumer", Doubler, { dispatcher: {} }, "dispatcher", "{}"],
    ["S83, G8: a producer-consumer", Doubler, { bufferSize: 0 }, "bufferSize", "0"],
    ["S69, G9: a consumer", Forwarder, { subscribeTo: 5 }, "subscribeTo", "5"],
  ])("%s with a bad value does not start: %o", (_row, stage, given, option, got) =>
    schedules(async () => {
      await expect(begin(stage as AnyProcessClass, given)).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        cause: { code: "SLUICE_INVALID_OPTION", details: { option, got } },
      });
    })(),
  );

  it(
    "G7, G8: has its defaults: 10,000 events of which the last are kept, forwarding; ten windows in a producer-consumer",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const hand = byHand<number>();
      await using queue = await start(Queue<number>);
      await queue.call.queue(Array.from({ length: 10_001 }, (_, n) => n));
      expect(figures(queue)).toMatchObject({ buffered: 10_000, dropped: 1 });
      await using _consumer = await start(hand.stage, { subscribeTo: [queue] });
      hand.ask(1);
      await quiet();
      expect(hand.batches).toEqual([[1]]);
    }),
  );

  it("S1, G14: is described by its class, with defaults or otherwise", () => {
    expect(child(Counter)).toMatchObject({
      restart: "permanent",
      shutdown: 5_000,
      type: "worker",
      significant: false,
    });
    expect(child(Counter, { restart: "temporary", shutdown: "kill" })).toMatchObject({
      restart: "temporary",
      shutdown: "kill",
    });
    expect(child(Forwarder<number>, { args: [[]], shutdown: 10 }).shutdown).toBe(10);
  });

  it(
    "G1: has the kind of its class, for life",
    schedules(async ({ quiet }) => {
      const counter = name<Counter>("counter");
      const doubler = name<Doubler>("doubler");
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          counter: child(Counter, { args: [4], name: counter }),
          doubler: child(Doubler, { name: doubler, subscribeTo: [counter] }),
          forwarder: child(Forwarder<number>, { subscribeTo: [doubler] }),
        },
      });
      const kinds = (): string[] => topology(app).nodes.map(({ kind }) => kind);
      const all = ["supervisor", "producer", "producer_consumer", "consumer"];
      expect(kinds()).toEqual(all);
      await quiet();
      expect(kinds()).toEqual(all);
    }),
  );

  it(
    "G15: needs no callback but the one that makes it what it is; an info without handleInfo is logged",
    schedules(async ({ quiet }) => {
      const logged: unknown[] = [];
      using _log = attach("sluice.log", ({ level, message }) => logged.push([level, message]));
      class Plain extends Producer<number> {
        push(events: readonly number[]): void {
          this.emit(events);
        }
      }
      class Bare extends Consumer<number> {
        protected override handleEvents(): void {}
      }
      await using plain = await start(Plain);
      await using consumer = await start(Bare, {
        subscribeTo: [{ to: plain, cancel: "temporary" }],
      });
      await plain.call.push([1]);
      await subscribe(consumer, { to: plain, maxDemand: 1 });
      info(plain, "psst");
      await quiet();
      expect(logged).toEqual([["warning", `${plain.pid} got an info and has no handleInfo`]]);
      await plain.stop();
      await quiet();
    }),
  );
});

describe("subscribeTo", () => {
  const family = names<Counter>("counter");
  const one = name<Counter>("one");

  it(
    "S119–S124, G12: takes a ref, a name, one of a family and a child of a supervisor, each alone or with terms",
    schedules(async ({ quiet }) => {
      const logged: unknown[] = [];
      using _log = attach("sluice.log", (entry) => logged.push(entry));
      await using named = await start(Counter, { args: [2], name: one });
      await using _member = await start(Counter, { args: [2], name: family("a") });
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { slot: child(Counter, { args: [2] }) },
      });
      for (const to of [named, one, family("a"), app.children.slot]) {
        for (const given of [to, { to, maxDemand: 7 }]) {
          const consumer = await start(Forwarder<number>, { subscribeTo: [given] });
          await quiet();
          expect(topology(consumer).edges).toHaveLength(1);
          expect(topology(consumer).edges[0]!.maxDemand).toBe(given === to ? 1_000 : 7);
          await consumer.stop();
        }
      }
      // Neither is ambiguous: a token is no pair of a place and terms.
      expect(logged).toEqual([]);
    }),
  );

  it(
    "of what is still in its init refuses what will be no producer, and waits for what will",
    schedules(async ({ quiet }) => {
      const idle = name<Idle>("idle");
      class Idle extends Process {
        protected override init(): Promise<void> {
          return sleep(10);
        }
      }
      const late = name<Late>("late");
      class Late extends Counter {
        protected override init(): Promise<void> {
          return sleep(10);
        }
      }
      const seen: unknown[] = [];
      const starting = [start(Idle, { name: idle }), start(Late, { name: late, args: [2] })];
      await expect(
        start(Forwarder<number>, { subscribeTo: [idle as never] }),
      ).rejects.toMatchObject({
        cause: { code: "SLUICE_NOT_A_PRODUCER" },
      });
      await using _consumer = await start(Forwarder<number>, {
        args: [seen],
        subscribeTo: [{ to: late, cancel: "temporary" }],
      });
      for (const process of await Promise.all(starting)) {
        await quiet();
        await process.stop();
      }
      expect(seen).toContainEqual([0, 1]);
    }),
  );
});
