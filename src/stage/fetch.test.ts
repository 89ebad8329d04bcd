import { describe, expect, it } from "vitest";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { start, type Context } from "../process/index.ts";
import { LazySignal } from "../process/internal.ts";
import type { Fetch } from "./fetch.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate } from "../testing/index.ts";
import { Producer } from "./producer.ts";
import { producer } from "./shorthands.ts";
import { topology } from "./topology.ts";

/** A producer whose fetches the test settles. */
class Fetches {
  readonly demands: number[] = [];
  readonly signals: AbortSignal[] = [];
  readonly open: PromiseWithResolvers<number[]>[] = [];
  /** Whether an abort rejects the fetch, as those of well-behaved clients do. */
  obedient = true;

  readonly stage = producer<number>((demand, context) => this.fetch(demand, context));

  fetch(demand: number, { signal }: Context): Promise<number[]> {
    const settle = Promise.withResolvers<number[]>();
    this.demands.push(demand);
    this.signals.push(signal);
    this.open.push(settle);
    if (this.obedient) signal.addEventListener("abort", () => settle.reject(signal.reason));
    return settle.promise;
  }

  get last(): PromiseWithResolvers<number[]> {
    return this.open.at(-1)!;
  }
}

describe("a fetch", () => {
  it("does not hold the mailbox", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        class Busy extends Producer<number> {
          ping(): string {
            return "pong";
          }
          protected override handleDemand(demand: number, context: Context): Promise<number[]> {
            return fetches.fetch(demand, context);
          }
        }
        await using source = await start(Busy);
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [source],
        });
        await quiet();
        expect(fetches.demands).toEqual([1_000]);
        expect(await source.call.ping()).toBe("pong");
      },
      { seeds: 5 },
    );
  });

  it("is open once at most; what is asked for meanwhile is summed into the next", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        const seen = byHand<number>();
        await using source = await start(fetches.stage);
        await using _consumer = await start(seen.stage, { subscribeTo: [source] });
        for (const count of [3, 2, 4]) seen.ask(count);
        await quiet();
        expect(fetches.demands).toEqual([3]);
        fetches.last.resolve([1, 2, 3]);
        await quiet();
        expect(fetches.demands).toEqual([3, 6]);
        fetches.last.resolve(range(6, 4));
        await quiet();
        expect(seen.batches.flat()).toEqual(range(9, 1));
        expect(fetches.demands).toEqual([3, 6]);
      },
      { seeds: 10 },
    );
  });

  it("that brings less than was wanted owes the rest, which may be emitted later", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        const seen = byHand<number>();
        await using source = await start(fetches.stage);
        await using _consumer = await start(seen.stage, { subscribeTo: [source] });
        seen.ask(5);
        await quiet();
        fetches.last.resolve([1, 2]);
        await quiet();
        seen.ask(1);
        await quiet();
        expect(fetches.demands).toEqual([5, 1]);
      },
      { seeds: 5 },
    );
  });

  it("brings its events into the buffer when its asker is gone: G75", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        fetches.obedient = false;
        const [gone, here] = [byHand<number>(), byHand<number>()];
        await using source = await start(fetches.stage);
        const first = await start(gone.stage, { subscribeTo: [source] });
        gone.ask(3);
        await quiet();
        await first.stop();
        await quiet();
        fetches.last.resolve([1, 2, 3]);
        await quiet();
        expect(topology(source).nodes[0]?.figures).toMatchObject({ buffered: 3, dropped: 0 });
        await using _second = await start(here.stage, { subscribeTo: [source] });
        here.ask(3);
        await quiet();
        expect(here.batches).toEqual([[1, 2, 3]]);
      },
      { seeds: 10 },
    );
  });

  it("is aborted when the last consumer has gone, and its demand is asked for anew, with a fresh signal", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        const [gone, here] = [byHand<number>(), byHand<number>()];
        await using source = await start(fetches.stage);
        const first = await start(gone.stage, { subscribeTo: [source] });
        const second = await start(gone.stage, { subscribeTo: [source] });
        gone.ask(3);
        await quiet();
        await first.stop();
        await quiet();
        expect(fetches.signals[0]?.aborted).toBe(false);
        await second.stop();
        await quiet();
        expect(fetches.signals[0]?.aborted).toBe(true);
        await using _third = await start(here.stage, { subscribeTo: [source] });
        here.ask(4);
        await quiet();
        expect(fetches.demands).toEqual([3, 4]);
        expect(fetches.signals[1]?.aborted).toBe(false);
        fetches.last.resolve([1, 2, 3, 4]);
        await quiet();
        expect(here.batches).toEqual([[1, 2, 3, 4]]);
      },
      { seeds: 10 },
    );
  });

  it("that was given up and brings less owes nothing: the next ask is asked for in full", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        fetches.obedient = false;
        const [gone, here] = [byHand<number>(), byHand<number>()];
        await using source = await start(fetches.stage);
        const first = await start(gone.stage, { subscribeTo: [source] });
        gone.ask(10);
        await quiet();
        await first.stop();
        await using _second = await start(here.stage, { subscribeTo: [source] });
        await quiet();
        fetches.last.resolve([1, 2, 3]);
        await quiet();
        here.ask(10);
        await quiet();
        expect(here.batches).toEqual([[1, 2, 3]]);
        expect(fetches.demands).toEqual([10, 7]);
      },
      { seeds: 10 },
    );
  });

  it("whose consumer is replaced before it has noticed serves the new one", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        const [gone, here] = [byHand<number>(), byHand<number>()];
        await using source = await start(fetches.stage);
        const first = await start(gone.stage, { subscribeTo: [source] });
        gone.ask(3);
        await quiet();
        const stopped = first.stop();
        await using _second = await start(here.stage, { subscribeTo: [source] });
        here.ask(5);
        await stopped;
        await quiet();
        fetches.last.resolve(range(5));
        await quiet();
        expect(here.batches.flat()).toEqual(range(5));
      },
      { seeds: 50 },
    );
  });

  it("that fails for a reason of its own ends the producer", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const fetches = new Fetches();
        const source = await start(fetches.stage);
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        await quiet();
        fetches.last.reject(new RangeError("no such table"));
        expect(await source.exited).toEqual({ crash: new RangeError("no such table") });
      },
      { seeds: 5 },
    );
  });

  it("that fails after it was given up is logged, and ends nothing", async () => {
    await simulate(
      async ({ quiet }) => {
        const warnings: unknown[] = [];
        using _log = attach("sluice.log", ({ details }) => warnings.push(details));
        const fetches = new Fetches();
        fetches.obedient = false;
        await using source = await start(fetches.stage);
        const first = await start(probeConsumer<number>().stage, { subscribeTo: [source] });
        await quiet();
        await first.stop();
        await quiet();
        fetches.last.reject(new RangeError("late"));
        await quiet();
        expect(warnings).toEqual([new RangeError("late")]);
        expect(topology(source).nodes).toHaveLength(1);
      },
      { seeds: 5 },
    );
  });

  it("is aborted by a stop, which does not wait for it", async () => {
    await simulate(
      async ({ quiet }) => {
        const fetches = new Fetches();
        fetches.obedient = false;
        const source = await start(fetches.stage);
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        await quiet();
        await source.stop("shutdown");
        expect(fetches.signals[0]?.reason).toMatchObject({
          code: "SLUICE_EXITED",
          details: { reason: "shutdown" },
        });
        fetches.last.resolve([1]);
        await quiet();
      },
      { seeds: 5 },
    );
  });

  it("costs no AbortController unless its signal is read", async () => {
    await simulate(
      async ({ quiet }) => {
        let context: object | undefined;
        const unread = producer((_demand, given) => {
          context = given;
        });
        await using source = await start(unread);
        await using _consumer = await start(probeConsumer().stage, { subscribeTo: [source] });
        await quiet();
        expect(LazySignal.made((context as Fetch).lazy)).toBeUndefined();
        expect((context as Context).signal.aborted).toBe(false);
      },
      { seeds: [1] },
    );
  });
});
