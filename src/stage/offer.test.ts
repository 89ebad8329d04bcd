import { describe, expect, it } from "vitest";
import { SluiceError } from "../support/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import { processes } from "../process/internal.ts";
import { sleep, start } from "../process/index.ts";
import { probeConsumer, simulate, type Simulation } from "../testing/index.ts";
import { Producer } from "./producer.ts";
import { subscribe } from "./subscribe.ts";

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

describe("offer", () => {
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
