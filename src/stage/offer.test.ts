import { describe, expect, it } from "vitest";
import { Inbox, figures } from "../../test/stage/inbox.ts";
import { byHand, cellOf, quietly } from "../../test/stage/probing.ts";
import { SluiceError } from "../support/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import { processes } from "../process/internal.ts";
import { sleep, start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate, type Simulation } from "../testing/index.ts";
import { Producer } from "./producer.ts";
import { subscribe } from "./subscribe.ts";

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
        const seen = byHand<string>();
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
        using _silent = quietly();
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
        const seen = byHand<string>();
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
        const own = cellOf(inbox).instance as unknown as Inbox;
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
        const seen = byHand<string>();
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
        const seen = byHand<string>();
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

const simulated = (program: (simulation: Simulation) => Promise<void>): Promise<unknown> =>
  simulate(program, { seeds: 10 });

const codeOf = (error: unknown): unknown => (error instanceof SluiceError ? error.code : error);

class Source extends Producer<string> {
  /** Awaits its own offer: a mistake. */
  async awaited(...events: string[]): Promise<unknown> {
    try {
      await this.offer(events);
      return "taken";
    } catch (error) {
      return codeOf(error);
    }
  }
  returned(...events: string[]): Promise<void> {
    return this.offer(events);
  }
  floating(...events: string[]): void {
    void this.offer(events);
  }
  /** A source beside the mailbox, with back-pressure. */
  feed(count: number): void {
    this.self.task(
      async () => {
        for (let n = 0; n < count; n++) {
          await sleep(5);
          await this.offer([String(n)]);
        }
      },
      () => {},
    );
  }
  async busy(): Promise<void> {
    await sleep(50);
  }
}

describe("an offer that is refused, or made beside the mailbox", () => {
  it("refused because its own callback awaits it, delivers nothing later, not even a part", () =>
    simulated(async ({ quiet }) => {
      await using source = await start(Source, { bufferSize: 0 });
      expect(await source.call.awaited("a", "b")).toBe("SLUICE_OFFER_AWAITED");
      const seen = probeConsumer<string>();
      await using consumer = await start(seen.stage);
      await subscribe(consumer, { to: source, maxDemand: 1 });
      const later = source.call.returned("c");
      await quiet();
      await later;
      expect(seen.batches).toEqual([["c"]]);
    }));

  it("made beside the mailbox may be awaited, whatever callback is in hand", () =>
    simulated(async ({ advance }) => {
      await using source = await start(Source, { bufferSize: 0 });
      const seen = probeConsumer<string>();
      await using consumer = await start(seen.stage);
      await subscribe(consumer, { to: source, maxDemand: 1, minDemand: 0 });
      source.cast.feed(6);
      await advance(12);
      source.cast.busy();
      await advance(200);
      expect(seen.batches.flat()).toEqual(["0", "1", "2", "3", "4", "5"]);
    }));

  it("refused with nobody waiting for it is counted as dropped", () =>
    simulated(async ({ quiet }) => {
      await using source = await start(Source, { bufferSize: 0, maxOffers: 1 });
      for (const event of ["a", "b", "c"]) source.cast.floating(event);
      await quiet();
      expect(currentSystem().get(processes).dropped).toBe(2);
      expect(source.pid).toMatch(/Source/);
    }));

  it("refused for want of a place is refused whole", () =>
    simulated(async ({ quiet }) => {
      await using source = await start(Source, { bufferSize: 1, maxOffers: 0 });
      const seen = probeConsumer<string>();
      await using consumer = await start(seen.stage);
      await subscribe(consumer, { to: source, maxDemand: 2, minDemand: 0 });
      await quiet();
      await expect(source.call.returned("a", "b", "c", "d")).rejects.toMatchObject({
        code: "SLUICE_OFFERS_FULL",
      });
      await quiet();
      expect(seen.batches).toEqual([]);
      await source.call.returned("a", "b", "c");
      await quiet();
      expect(seen.batches.flat()).toEqual(["a", "b", "c"]);
    }));

  it("awaited in init is refused: nobody can subscribe before init has ended", () =>
    simulated(async () => {
      class Eager extends Producer<string> {
        protected override async init(): Promise<void> {
          await this.offer(["a", "b"]);
        }
      }
      await expect(start(Eager, { bufferSize: 1 })).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        cause: { code: "SLUICE_OFFER_AWAITED" },
      });
    }));
});
