import { describe, expect, it } from "vitest";
import { start } from "../process/index.ts";
import type { Cell } from "../process/internal.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate, type ConsumerProbe } from "../testing/index.ts";
import type { Deliver, Dispatcher, Dispatching, Subscriber } from "./dispatcher.ts";
import { Producer, type ProducerOptions } from "./producer.ts";
import { topology } from "./topology.ts";

/** Emits in every way there is. */
class Inbox extends Producer<string> {
  push(events: readonly string[]): void {
    this.emit(events);
  }
  offered(events: readonly string[]): Promise<void> {
    return this.offer(events);
  }
  async awaited(events: readonly string[]): Promise<void> {
    await this.offer(events);
  }
  tried(events: readonly string[]): boolean {
    return this.tryOffer(events);
  }
  laterOffered(events: readonly string[]): void {
    this.self.after(1, () => this.offer(events));
  }
  note(log: string[], line: string): void {
    this.self.afterBuffered(() => void log.push(line));
  }
}

/** A consumer that asks for nothing but by hand. */
function byHand(): ConsumerProbe<string> {
  const probe = probeConsumer<string>();
  probe.ask(0);
  return probe;
}

const figures = (source: Parameters<typeof topology>[0]): Readonly<Record<string, number>> =>
  topology(source).nodes[0]!.figures;

describe("emit", () => {
  it("S24: what nobody asks for waits in order, and goes out as it is asked for", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen = byHand();
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
          const seen = byHand();
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
        using _silent = attach("sluice.log", () => {});
        const seen = byHand();
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
        using _silent = attach("sluice.log", () => {});
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
        using _silent = attach("sluice.log", () => {});
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

describe("offer", () => {
  it("resolves at once where the events are taken or have a place", async () => {
    await simulate(
      async () => {
        await using inbox = await start(Inbox, { bufferSize: 2 });
        await inbox.call.offered(["a", "b"]);
        await inbox.call.offered([]);
        expect(figures(inbox)).toMatchObject({ buffered: 2, offers: 0 });
      },
      { seeds: 5 },
    );
  });

  it("waits for a place, in order, and holds its reply, not the mailbox", async () => {
    await simulate(
      async ({ quiet }) => {
        const order: string[] = [];
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 2 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        const offers = [["a", "b", "c"], ["d"], ["e", "f", "g"]].map(async (events) => {
          await inbox.call.offered(events);
          order.push(events.join(""));
        });
        await quiet();
        expect([order, figures(inbox)["offers"]]).toEqual([[], 3]);
        seen.ask(1);
        await quiet();
        expect(order).toEqual(["abc"]);
        seen.ask(1);
        await quiet();
        expect(order).toEqual(["abc", "d"]);
        seen.ask(2);
        await quiet();
        expect(order).toEqual(["abc", "d"]);
        seen.ask(9);
        await Promise.all(offers);
        await quiet();
        expect(seen.batches.flat().join("")).toBe("abcdefg");
      },
      { seeds: 20 },
    );
  });

  it("larger than the buffer goes through it in parts", async () => {
    await simulate(
      async () => {
        const seen = probeConsumer<string>();
        const events = Array.from({ length: 100 }, String);
        await using inbox = await start(Inbox, { bufferSize: 3 });
        const offered = inbox.call.offered(events);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: inbox, maxDemand: 7 }],
        });
        await offered;
        while (seen.batches.flat().length < 100) await seen.next();
        expect(seen.batches.flat()).toEqual(events);
      },
      { seeds: 10 },
    );
  });

  it("beyond maxOffers rejects with SLUICE_OFFERS_FULL; a cast is dropped and counted", async () => {
    await simulate(
      async ({ quiet }) => {
        const dropped: number[] = [];
        using _count = attach("sluice.process.dropped", ({ count }) => dropped.push(count));
        const inbox = await start(Inbox, { bufferSize: 0, maxOffers: 1 });
        const first = inbox.call.offered(["a"]).catch((error: unknown) => error);
        await quiet();
        const { pid } = inbox;
        await expect(inbox.call.offered(["b"])).rejects.toMatchObject({
          code: "SLUICE_OFFERS_FULL",
          retryable: true,
          details: { pid, limit: 1 },
        });
        inbox.cast.offered(["c"]);
        await quiet();
        expect(dropped).toEqual([1]);
        await inbox.stop();
        expect(await first).toMatchObject({ code: "SLUICE_EXITED" });
      },
      { seeds: 10 },
    );
  });

  it("awaited by the message that made it rejects with SLUICE_OFFER_AWAITED: it would wait for itself", async () => {
    await simulate(
      async () => {
        using _silent = attach("sluice.log", () => {});
        const inbox = await start(Inbox, { bufferSize: 1 });
        await inbox.call.awaited(["fits"]);
        await inbox.call.awaited(["does not"]).catch(() => {});
        expect(await inbox.exited).toMatchObject({
          crash: { code: "SLUICE_OFFER_AWAITED", details: { pid: inbox.pid } },
        });
      },
      { seeds: 10 },
    );
  });

  it("returned from a timer holds the mailbox as little", async () => {
    await simulate(
      async ({ advance }) => {
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 0 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        inbox.cast.laterOffered(["a"]);
        await advance(10);
        seen.ask(1);
        await advance(10);
        expect(seen.batches).toEqual([["a"]]);
      },
      { seeds: 10 },
    );
  });

  it("rejects with SLUICE_EXITED when the process ends, and afterwards", async () => {
    await simulate(
      async ({ quiet }) => {
        const inbox = await start(Inbox, { bufferSize: 0 });
        const own = (inbox["~resolve"]() as Cell).instance as unknown as Inbox;
        const waiting = inbox.call.offered(["a"]).catch((error: unknown) => error);
        await quiet();
        await inbox.stop("shutdown");
        expect(await waiting).toMatchObject({
          code: "SLUICE_EXITED",
          details: { reason: "shutdown" },
        });
        await expect(own.offered(["b"])).rejects.toMatchObject({ code: "SLUICE_EXITED" });
        expect(own.tried(["c"])).toBe(false);
      },
      { seeds: 5 },
    );
  });
});

describe("tryOffer", () => {
  it("takes all events at once or none", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 2 });
        expect(await inbox.call.tried(["a", "b", "c"])).toBe(false);
        expect(await inbox.call.tried(["a"])).toBe(true);
        expect(await inbox.call.tried(["b", "c"])).toBe(false);
        expect(await inbox.call.tried(["b"])).toBe(true);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        seen.ask(2);
        await quiet();
        expect(seen.batches).toEqual([["a", "b"]]);
      },
      { seeds: 5 },
    );
  });

  it("counts who waits for events as a place", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 1 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        seen.ask(2);
        await quiet();
        expect(await inbox.call.tried(["a", "b", "c", "d"])).toBe(false);
        expect(await inbox.call.tried(["a", "b", "c"])).toBe(true);
        expect(await inbox.call.tried(["d"])).toBe(false);
      },
      { seeds: 5 },
    );
  });

  it("does not overtake offers that wait", async () => {
    await simulate(
      async ({ quiet }) => {
        const inbox = await start(Inbox, { bufferSize: 0 });
        const offered = inbox.call.offered(["a"]).catch(() => "ended");
        await quiet();
        expect(await inbox.call.tried([])).toBe(false);
        await inbox.stop();
        expect(await offered).toBe("ended");
      },
      { seeds: 5 },
    );
  });
});

describe("afterBuffered", () => {
  it("S35, G37: runs as the next message where nothing is buffered", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        await using inbox = await start(Inbox);
        inbox.cast.note(log, "now");
        await quiet();
        expect(log).toEqual(["now"]);
      },
      { seeds: 5 },
    );
  });

  it("S37–S39, S42: runs when what was buffered then is out, in order, however much came since", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const seen = byHand();
        await using inbox = await start(Inbox);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        await inbox.call.push(["a", "b", "c"]);
        for (const line of ["d", "e", "f"]) inbox.cast.note(log, line);
        await inbox.call.push(["g", "h"]);
        inbox.cast.note(log, "i");
        seen.ask(2);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(2);
        await quiet();
        expect(log).toEqual(["d", "e", "f"]);
        seen.ask(1);
        await quiet();
        expect(log).toEqual(["d", "e", "f", "i"]);
      },
      { seeds: 10 },
    );
  });

  it("S41, G35: keeping the last, it runs when the event before it is let go", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = attach("sluice.log", () => {});
        const log: string[] = [];
        await using inbox = await start(Inbox, { bufferSize: 3 });
        await inbox.call.push(["a", "b", "c"]);
        inbox.cast.note(log, "after c");
        await inbox.call.push(["d", "e"]);
        await quiet();
        expect(log).toEqual([]);
        await inbox.call.push(["f"]);
        await quiet();
        expect(log).toEqual(["after c"]);
      },
      { seeds: 5 },
    );
  });

  it("G35: keeping the first, events that are let go bring it no nearer", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = attach("sluice.log", () => {});
        const log: string[] = [];
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 2, bufferKeep: "first" });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        await inbox.call.push(["a", "b"]);
        inbox.cast.note(log, "after b");
        await inbox.call.push(["c", "d"]);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(2);
        await quiet();
        expect(log).toEqual(["after b"]);
      },
      { seeds: 5 },
    );
  });

  it("waits for offers that wait, too", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const seen = byHand();
        await using inbox = await start(Inbox, { bufferSize: 1 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        inbox.cast.offered(["a", "b", "c"]);
        inbox.cast.note(log, "after c");
        seen.ask(2);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(1);
        await quiet();
        expect(log).toEqual(["after c"]);
      },
      { seeds: 5 },
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
        using _silent = attach("sluice.log", () => {});
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
        const pairs: Dispatcher<string> = { kind: "pairs", "~make": () => new Pairs<string>() };
        const seen = byHand();
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
  #last: Subscriber | undefined = undefined;
  subscribe(): void {}
  cancel(): void {
    this.demand = 0;
  }
  ask(subscriber: Subscriber, count: number): void {
    this.#last = subscriber;
    this.demand += count;
  }
  dispatch(events: readonly T[], deliver: Deliver<T>): number {
    let start = 0;
    for (; start + 2 <= events.length && this.demand >= 2; start += 2, this.demand -= 2)
      deliver(this.#last!, events.slice(start, start + 2));
    return start;
  }
}
