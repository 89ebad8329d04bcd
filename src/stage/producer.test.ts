import { describe, expect, it } from "vitest";
import { Inbox, figures } from "../../test/stage/inbox.ts";
import { byHand, quietly } from "../../test/stage/probing.ts";
import { start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate } from "../testing/index.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
import { Producer, type ProducerOptions } from "./producer.ts";

describe("emit", () => {
  it("S24: what nobody asks for waits in order, and goes out as it is asked for", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen = byHand<string>();
        await using inbox = await start(Inbox);
        await inbox.call.push(["a", "b", "c"]);
        await inbox.call.push(["d", "e"]);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        for (const count of [4, 2]) {
          seen.ask(count);
          await quiet();
        }
        expect(seen.batches).toEqual([["a", "b", "c", "d"], ["e"]]);
      },
      { seeds: 5 },
    );
  });

  it.each([
    { bufferKeep: "last" as const, kept: ["d", "e", "f"] },
    { bufferKeep: "first" as const, kept: ["a", "b", "c"] },
  ])(
    "G30, G31: a full buffer keeps the $bufferKeep, counts and logs once per batch",
    async (row) => {
      await simulate(
        async ({ quiet }) => {
          const logged: string[] = [];
          const counted: number[] = [];
          using _log = attach("sluice.log", ({ message }) => logged.push(message));
          using _count = attach("sluice.stage.discarded", ({ count }) => counted.push(count));
          const seen = byHand<string>();
          await using inbox = await start(Inbox, { bufferSize: 3, bufferKeep: row.bufferKeep });
          await inbox.call.push(["a", "b", "c"]);
          await inbox.call.push(["d", "e"]);
          await inbox.call.push(["f"]);
          const text = (count: number): string =>
            `${inbox.pid} discarded ${count} events: its buffer of 3 is full`;
          expect([counted, logged]).toEqual([
            [2, 1],
            [text(2), text(1)],
          ]);
          expect(figures(inbox)).toMatchObject({ buffered: 3, dropped: 3 });
          await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
          seen.ask(10);
          await quiet();
          expect(seen.batches).toEqual([row.kept]);
        },
        { seeds: 5 },
      );
    },
  );

  it("S27: a buffer without a limit lets nothing go", async () => {
    await simulate(
      async () => {
        await using inbox = await start(Inbox, { bufferSize: Infinity });
        await inbox.call.push(Array.from({ length: 20_000 }, String));
        expect(figures(inbox)).toMatchObject({ buffered: 20_000, dropped: 0 });
      },
      { seeds: [1] },
    );
  });

  it("G10: with bufferSize 0, what nobody waits for is let go", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const seen = byHand<string>();
        await using inbox = await start(Inbox, { bufferSize: 0 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        seen.ask(1);
        await quiet();
        await inbox.call.push(["a", "b"]);
        await quiet();
        expect(seen.batches).toEqual([["a"]]);
        expect(figures(inbox)).toMatchObject({ buffered: 0, dropped: 1 });
      },
      { seeds: 5 },
    );
  });

  it("hands the array on uncopied to who asked for all of it", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen = probeConsumer<string>();
        const batch = ["a", "b"];
        await using inbox = await start(Inbox);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        await quiet();
        await inbox.call.push(batch);
        await quiet();
        expect(seen.batches[0]).toBe(batch);
      },
      { seeds: 5 },
    );
  });

  it("S63, G19: events emitted by a call are on their way before its reply", async () => {
    await simulate(
      async () => {
        const order: string[] = [];
        const seen = probeConsumer<string>();
        await using inbox = await start(Inbox);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        const first = seen.next().then(() => order.push("events"));
        await inbox.call.push(["a"]).then(() => order.push("reply"));
        await first;
        expect(order).toHaveLength(2);
        // The consumer's next message comes behind them, whoever was first to be told.
        expect(seen.batches).toEqual([["a"]]);
      },
      { seeds: 10 },
    );
  });

  it("after the end of the process does nothing", async () => {
    await simulate(
      async ({ advance }) => {
        using _silent = quietly();
        let late: (() => void) | undefined;
        class Late extends Producer<string> {
          async work(): Promise<void> {
            await new Promise<void>((resolve) => (late = resolve));
            this.emit(["late"]);
          }
        }
        const stage = await start(Late, { shutdown: 0 });
        stage.cast.work();
        await advance(0);
        await stage.stop("shutdown");
        late?.();
        await advance(1);
        expect(await stage.exited).toBe("killed");
      },
      { seeds: 5 },
    );
  });

  it("refuses what is no list", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        const inbox = await start(Inbox);
        await inbox.call.push("text" as never).catch(() => {});
        expect(await inbox.exited).toMatchObject({
          crash: {
            code: "SLUICE_INVALID_OPTION",
            details: { option: "emit: events", got: '"text"', expected: "a list of events" },
          },
        });
      },
      { seeds: [1] },
    );
  });
});

describe("options of a producer", () => {
  it.each([
    [{ bufferSize: -1 }, "bufferSize", "-1", "a whole number of at least 0"],
    [{ bufferSize: 1.5 }, "bufferSize", "1.5", "a whole number of at least 0"],
    [{ maxOffers: NaN }, "maxOffers", "NaN", "a whole number of at least 0"],
    [{ bufferKeep: "middle" }, "bufferKeep", '"middle"', '"last" or "first"'],
    [{ dispatcher: 0 }, "dispatcher", "0", "what demandDispatcher() or the like returns"],
  ])(
    "G6, S58: %o fails the start, naming option, value and what is expected",
    async (given, ...what) => {
      await simulate(
        async () => {
          const [option, got, expected] = what;
          await expect(start(Inbox, given as ProducerOptions<string>)).rejects.toMatchObject({
            code: "SLUICE_START_FAILED",
            cause: { code: "SLUICE_INVALID_OPTION", details: { option, got, expected } },
          });
        },
        { seeds: [1] },
      );
    },
  );

  it("an unknown one is refused where it is written", async () => {
    await expect(start(Inbox, { buferSize: 1 } as never)).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
      details: { option: "Inbox: buferSize", got: "1" },
    });
  });

  it("of the tree override those of the class", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        class Small extends Inbox {
          constructor() {
            super({ bufferSize: 1 });
          }
        }
        await using plain = await start(Small);
        await using roomy = await start(Small, { bufferSize: 2 });
        for (const inbox of [plain, roomy]) await inbox.call.push(["a", "b", "c"]);
        expect([figures(plain)["buffered"], figures(roomy)["buffered"]]).toEqual([1, 2]);
      },
      { seeds: [1] },
    );
  });

  it("a dispatcher of one's own delivers what it can; what it leaves waits in front", async () => {
    await simulate(
      async ({ quiet }) => {
        const pairs: Dispatcher<string> = { kind: "pairs", make: (context) => new Pairs(context) };
        const seen = byHand<string>();
        await using inbox = await start(Inbox, { dispatcher: pairs });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        seen.ask(3);
        await quiet();
        await inbox.call.push(["a", "b", "c"]);
        await inbox.call.push(["d"]);
        seen.ask(3);
        await quiet();
        expect(seen.batches).toEqual([
          ["a", "b"],
          ["c", "d"],
        ]);
      },
      { seeds: 10 },
    );
  });
});

/** Hands out in twos, to whoever asked last. */
class Pairs<T> implements Dispatching<T> {
  demand = 0;
  readonly #context: DispatcherContext<T>;
  #last: Subscriber | undefined = undefined;
  constructor(context: DispatcherContext<T>) {
    this.#context = context;
  }
  subscribe(): void {}
  cancel(): void {
    this.demand = 0;
  }
  ask(subscriber: Subscriber, count: number): void {
    this.#last = subscriber;
    this.demand += count;
  }
  dispatch(events: readonly T[]): number {
    let start = 0;
    for (; start + 2 <= events.length && this.demand >= 2; start += 2, this.demand -= 2)
      this.#context.deliver(this.#last!, events.slice(start, start + 2));
    return start;
  }
}
