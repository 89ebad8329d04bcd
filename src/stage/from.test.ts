import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import {
  child,
  name,
  sleep,
  start,
  startSupervisor,
  withSystem,
  type Context,
  drain,
} from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate } from "../testing/index.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";
import { topology } from "./topology.ts";

/** Counts up, sees how far it was pulled and how it was left. */
class Pulled {
  pulled = 0;
  closed = 0;
  readonly #end: number;
  constructor(end = Infinity) {
    this.#end = end;
  }
  *sync(): Generator<number> {
    try {
      while (this.pulled < this.#end) yield this.pulled++;
    } finally {
      this.closed++;
    }
  }
  async *async(): AsyncGenerator<number> {
    try {
      while (this.pulled < this.#end) {
        await Promise.resolve();
        yield this.pulled++;
      }
    } finally {
      this.closed++;
    }
  }
}

describe.each(["sync", "async"] as const)("from a generator (%s)", (kind) => {
  it("pulls exactly what is asked for, and nothing before", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Pulled();
        const seen = byHand<number>();
        await using producer = await start(from(() => source[kind]()));
        await using _consumer = await start(seen.stage, { subscribeTo: [producer] });
        await quiet();
        expect(source.pulled).toBe(0);
        for (const count of [3, 0, 2]) seen.ask(count);
        await quiet();
        expect([source.pulled, seen.batches.flat()]).toEqual([5, range(5)]);
      },
      { seeds: 20 },
    );
  });

  it("E21: ends with normal after its last event is taken, an exact multiple of the demand included", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        const total = 8 + (seed % 2);
        const source = new Pulled(total);
        const seen = probeConsumer<number>();
        const producer = await start(from(() => source[kind]()));
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 0, cancel: "temporary" }],
        });
        expect(await producer.exited).toBe("normal");
        await quiet();
        expect(seen.batches.flat()).toEqual(range(total));
        expect(source.closed).toBe(1);
      },
      { seeds: 20 },
    );
  });

  it("is closed, not awaited, when the stage stops", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Pulled();
        const seen = byHand<number>();
        const producer = await start(from(() => source[kind]()));
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, cancel: "temporary" }],
        });
        seen.ask(2);
        await quiet();
        await producer.stop("shutdown");
        await quiet();
        expect(source.closed).toBe(1);
      },
      { seeds: 10 },
    );
  });

  it("that throws crashes the stage, after what it gave before", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const failing = {
          *sync() {
            yield* [1, 2];
            throw new RangeError("three");
          },
          async *async() {
            yield 1;
            yield 2;
            throw new RangeError("three");
          },
        };
        const seen = probeConsumer<number>();
        const producer = await start(from<number>(() => failing[kind]()));
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, cancel: "temporary" }],
        });
        expect(await producer.exited).toEqual({ crash: new RangeError("three") });
        await quiet();
        expect(seen.batches.flat()).toEqual([1, 2]);
      },
      { seeds: 10 },
    );
  });
});

describe("from an iterable", () => {
  it.each([
    ["an array", () => [1, 2, 3], [1, 2, 3]],
    ["a set", () => new Set([1, 2]), [1, 2]],
    ["a string", () => "abc", ["a", "b", "c"]],
    ["nothing", () => [], []],
    ["a Node stream", () => Readable.from([1, 2, 3]), [1, 2, 3]],
    ["lines", () => createInterface({ input: Readable.from("a\nb\nc") }), ["a", "b", "c"]],
  ])("takes %s", async (_what, open, expected) => {
    await withSystem(async () => {
      const seen = probeConsumer<unknown>();
      const producer = await start(from<unknown>(open));
      await using _consumer = await start(seen.stage, {
        subscribeTo: [{ to: producer, cancel: "temporary" }],
      });
      expect(await producer.exited).toBe("normal");
      while (seen.batches.flat().length < expected.length) await seen.next();
      expect(seen.batches.flat()).toEqual(expected);
    });
  });

  it.each([[7], [null], [undefined], [{}]])("refuses %o, and the start fails", async (bad) => {
    await simulate(
      async () => {
        await expect(start(from(() => bad as never))).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          cause: {
            code: "SLUICE_INVALID_RETURN",
            details: { callback: "from" },
          },
        });
      },
      { seeds: 1 },
    );
  });

  it("is opened once for each incarnation, at its start, with a signal that aborts at its stop", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const signals: AbortSignal[] = [];
        const numbers = name<Producer<number>>("numbers");
        async function* once({ signal }: Context): AsyncGenerator<number> {
          signals.push(signal);
          yield signals.length;
          if (signals.length === 1) throw new RangeError("again");
          await sleep(1e6, signal);
        }
        const seen = probeConsumer<number>();
        const app = await startSupervisor({
          strategy: "rest_for_one",
          children: {
            numbers: child(from(once), { name: numbers }),
            seen: child(seen.stage, { subscribeTo: [numbers] }),
          },
        });
        await quiet();
        expect(seen.batches.flat()).toContain(2);
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
        await app.stop();
        expect(signals[1]?.aborted).toBe(true);
      },
      { seeds: 10 },
    );
  });

  it("that never ends and never waits shares the thread, a thousand events at a time", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Pulled();
        const seen = byHand<number>();
        const order: number[] = [];
        await using producer = await start(from(() => source.sync()));
        await using _consumer = await start(seen.stage, { subscribeTo: [producer] });
        seen.ask(3_500);
        while (seen.batches.length < 4) order.push((await seen.next()).length);
        await quiet();
        expect(order).toEqual([1_000, 1_000, 1_000, 500]);
      },
      { seeds: 5 },
    );
  });
});

describe("from a source whose consumer has gone", () => {
  it("is read no further than its pending step, loses nothing, and goes on with the next consumer", async () => {
    await simulate(
      async ({ advance }) => {
        let pulled = 0;
        async function* ticks(): AsyncGenerator<number> {
          while (pulled < 9) {
            await sleep(10);
            yield pulled++;
          }
        }
        const [gone, here] = [probeConsumer<number>(), probeConsumer<number>()];
        const producer = await start(from(ticks), { bufferSize: 1 });
        const first = await start(gone.stage, { subscribeTo: [producer] });
        await advance(25);
        await first.stop();
        await advance(1_000);
        expect([gone.batches.flat(), pulled]).toEqual([[0, 1], 3]);
        const second = await start(here.stage, {
          subscribeTo: [{ to: producer, cancel: "temporary" }],
        });
        expect(await producer.exited).toBe("normal");
        await advance(1);
        await second.stop();
        expect(here.batches.flat()).toEqual(range(7, 2));
      },
      { seeds: 30 },
    );
  });
});

describe("from an iterator that never yields", () => {
  /** A source that is quiet until told otherwise. */
  class Quiet {
    pulls = 0;
    returns = 0;
    settle: PromiseWithResolvers<IteratorResult<number>> = Promise.withResolvers();
    [Symbol.asyncIterator](): AsyncIterator<number> {
      return {
        next: () => {
          this.pulls++;
          this.settle = Promise.withResolvers();
          return this.settle.promise;
        },
        return: () => {
          this.returns++;
          return new Promise(() => {});
        },
      };
    }
  }

  it("is cancelled, re-subscribed, inspected and stopped; its pending step serves whoever is there", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Quiet();
        const [gone, here] = [probeConsumer<number>(), probeConsumer<number>()];
        const producer = await start(from<number>(() => source));
        const first = await start(gone.stage, { subscribeTo: [producer] });
        await quiet();
        expect(topology(producer).nodes[0]).toMatchObject({
          kind: "producer",
          figures: { asked: 1_000, buffered: 0 },
        });
        await first.stop();
        await quiet();
        expect(topology(producer).nodes[0]?.figures["asked"]).toBe(0);
        await using _second = await start(here.stage, {
          subscribeTo: [{ to: producer, maxDemand: 2, cancel: "temporary" }],
        });
        await quiet();
        expect(source.pulls).toBe(1);
        source.settle.resolve({ value: 7 });
        await quiet();
        expect([here.batches, source.pulls]).toEqual([[[7]], 2]);
        await producer.stop("shutdown");
        expect([await producer.exited, source.returns]).toEqual(["shutdown", 1]);
      },
      { seeds: 30 },
    );
  });

  it("survives the crash of its consumer: what it says meanwhile waits for the next", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Quiet();
        const [gone, here] = [probeConsumer<number>(), probeConsumer<number>()];
        await using producer = await start(from<number>(() => source));
        const first = await start(gone.stage, { subscribeTo: [producer] });
        await quiet();
        await first.stop({ crash: "consumer" }).catch(() => {});
        await quiet();
        source.settle.resolve({ value: 1 });
        await quiet();
        expect([source.pulls, topology(producer).nodes[0]?.figures["buffered"]]).toEqual([1, 1]);
        await using _second = await start(here.stage, { subscribeTo: [producer] });
        await quiet();
        expect([here.batches, source.pulls]).toEqual([[[1]], 2]);
      },
      { seeds: 10 },
    );
  });

  it("holds no drain up, and is not read on by it", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = new Quiet();
        const seen = probeConsumer<number>();
        await using producer = await start(from<number>(() => source));
        await using _consumer = await start(seen.stage, { subscribeTo: [producer] });
        await quiet();
        await drain(producer);
        source.settle.resolve({ value: 1 });
        await quiet();
        expect([seen.batches, source.pulls]).toEqual([[[1]], 1]);
      },
      { seeds: 10 },
    );
  });

  it("on real standard input: quiet, and stopped at once", async () => {
    await withSystem(async () => {
      const input = new PassThrough();
      const seen = probeConsumer<string>();
      const producer = await start(from(() => createInterface({ input })));
      await using _consumer = await start(seen.stage, {
        subscribeTo: [{ to: producer, cancel: "temporary" }],
      });
      input.write("one\ntwo\n");
      while (seen.batches.flat().length < 2) await seen.next();
      await producer.stop("shutdown");
      expect(seen.batches.flat()).toEqual(["one", "two"]);
    });
  });

  it("whose closing fails is told to the log", async () => {
    await simulate(
      async ({ quiet }) => {
        const logged: unknown[] = [];
        using _log = attach("sluice.log", ({ details }) => logged.push(details));
        const bad = {
          [Symbol.iterator]: () => ({
            next: () => ({ value: 1 }),
            return: () => {
              throw new RangeError("stuck");
            },
          }),
        };
        const producer = await start(from(() => bad));
        await producer.stop("shutdown");
        await quiet();
        expect(logged).toEqual([new RangeError("stuck")]);
      },
      { seeds: 3 },
    );
  });
});
