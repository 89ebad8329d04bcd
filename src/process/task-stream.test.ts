import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  Process,
  sleep,
  start,
  taskStream,
  type Context,
  type TaskStreamOptions,
} from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

const nowMs = (): number => currentSystem().runtime.now();

/** A source that tells how far it was pulled, and whether it was closed. */
class Numbers {
  pulled = 0;
  closed = false;
  readonly waitMs: number;
  constructor(waitMs = 0) {
    this.waitMs = waitMs;
  }
  async *upTo(last: number): AsyncGenerator<number> {
    try {
      while (this.pulled < last) {
        if (this.waitMs > 0) await sleep(this.waitMs);
        yield ++this.pulled;
      }
    } finally {
      this.closed = true;
    }
  }
}

/** Work that takes so many ms, and how much of it ran at once. */
class Work {
  running = 0;
  most = 0;
  readonly begun: number[] = [];
  readonly aborted: number[] = [];
  readonly run = async (ms: number, { signal }: Context): Promise<number> => {
    this.begun.push(ms);
    this.most = Math.max(this.most, ++this.running);
    await sleep(ms, signal)
      .catch((error: unknown) => {
        this.aborted.push(ms);
        throw error;
      })
      .finally(() => this.running--);
    if (ms === 13) throw new RangeError("13");
    return ms;
  };
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

async function all(items: Iterable<number>, options: TaskStreamOptions): Promise<unknown[]> {
  const results: unknown[] = [];
  for await (const result of taskStream(items, new Work().run, options))
    results.push(result.status === "fulfilled" ? result.value : "failed");
  return results;
}

describe("taskStream", () => {
  it("O33: runs at most maxConcurrency at once, results in the order of the items", () =>
    simulated(async () => {
      const work = new Work();
      const items = [50, 10, 30, 20, 40, 10];
      const results = await collect(taskStream(items, work.run, { maxConcurrency: 3 }));
      expect(results).toEqual(items.map((value) => ({ status: "fulfilled", value })));
      expect([work.most, nowMs()]).toEqual([3, 90]);
    }));

  it("O33: unordered, results come as they end", () =>
    simulated(async () => {
      const options = { maxConcurrency: 3, ordered: false };
      expect(await all([50, 10, 30, 25], options)).toEqual([10, 30, 25, 50]);
      expect(await all([50, 10, 30], { maxConcurrency: 1, ordered: false })).toEqual([50, 10, 30]);
    }));

  it("O33: an item beyond its time is rejected and its signal aborts; the others go on, its late result is lost", () =>
    simulated(async ({ advance }) => {
      const deaf = async (ms: number): Promise<number> => {
        await sleep(ms);
        return ms;
      };
      const work = new Work();
      for (const run of [deaf, work.run]) {
        const results = await collect(
          taskStream([10, 500, 20], run, { timeoutMs: 100, maxConcurrency: 2 }),
        );
        expect(results).toMatchObject([
          { value: 10 },
          { reason: { code: "SLUICE_TIMEOUT", details: { timeoutMs: 100 } } },
          { value: 20 },
        ]);
      }
      expect(work.aborted).toEqual([500]);
      await advance(1_000);
    }));

  it("a failure is the item's own, thrown at once or later", () =>
    simulated(async () => {
      expect(await all([1, 13, 2], {})).toEqual([1, "failed", 2]);
      const throws = (): number => {
        throw new RangeError("at once");
      };
      expect(await collect(taskStream([1], throws))).toMatchObject([
        { status: "rejected", reason: { message: "at once" } },
      ]);
    }));

  it("O33: pulls only while somebody waits, and never further ahead than maxConcurrency", () =>
    simulated(async ({ advance, quiet }) => {
      const numbers = new Numbers();
      const work = new Work();
      const stream = taskStream(numbers.upTo(100), work.run, { maxConcurrency: 4 });
      await quiet();
      expect(numbers.pulled).toBe(0);
      for (let n = 1; n <= 10; n++) {
        await stream.next();
        await advance(1_000);
        expect(numbers.pulled).toBeGreaterThanOrEqual(n);
        expect(numbers.pulled).toBeLessThanOrEqual(n + 3);
      }
      await stream.return();
      expect(numbers.closed).toBe(true);
    }));

  it("a slow source holds no finished result up", () =>
    simulated(async () => {
      const numbers = new Numbers(100);
      const seen: number[] = [];
      for await (const _result of taskStream(numbers.upTo(3), new Work().run)) seen.push(nowMs());
      expect(seen).toEqual([101, 202, 303]);
    }));

  it("left early, aborts what is open and closes the source, also one that never answers", () =>
    simulated(async ({ quiet }) => {
      const numbers = new Numbers();
      const work = new Work();
      for await (const _result of taskStream(numbers.upTo(9), work.run, { maxConcurrency: 3 }))
        break;
      await quiet();
      expect([work.aborted.length, work.running, numbers.closed]).toEqual([2, 0, true]);
      const silent = new Numbers();
      const stuck = async function* (): AsyncGenerator<number> {
        yield 1;
        await new Promise(() => {});
      };
      for await (const _result of taskStream(stuck(), silent.upTo.bind(silent))) break;
    }));

  it("a source that fails is thrown after the results of what it gave", () =>
    simulated(async () => {
      const failing = function* (): Generator<number> {
        yield 10;
        yield 20;
        throw new RangeError("source");
      };
      const seen: unknown[] = [];
      const loop = async (): Promise<void> => {
        for await (const result of taskStream(failing(), new Work().run)) seen.push(result.status);
      };
      await expect(loop()).rejects.toThrow("source");
      expect(seen).toEqual(["fulfilled", "fulfilled"]);
    }));

  it("ends with its signal, by default that of the process", () =>
    simulated(async ({ advance }) => {
      const work = new Work();
      class Mapper extends Process {
        async map(): Promise<void> {
          for await (const _result of taskStream([1_000, 2_000], work.run));
        }
      }
      const mapper = await start(Mapper);
      mapper.cast.map();
      await advance(10);
      await mapper.stop("shutdown");
      expect([work.aborted, nowMs()]).toEqual([[1_000, 2_000], 10]);
      const abort = new AbortController();
      const loop = collect(taskStream([1_000], work.run, { signal: abort.signal }));
      abort.abort(new RangeError("enough"));
      await expect(loop).rejects.toThrow("enough");
    }));

  it("a sleep in the work waits for the item's signal without being given it", () =>
    simulated(async () => {
      const results = await collect(taskStream([1_000], (ms) => sleep(ms), { timeoutMs: 10 }));
      expect([results[0]?.status, currentSystem().wheel.size]).toEqual(["rejected", 0]);
    }));

  it.each([
    [{ maxConcurrency: 0 }, "maxConcurrency: got 0"],
    [{ timeoutMs: -1 }, "timeoutMs: got -1"],
    [{ ordered: "yes" }, 'ordered: got "yes"'],
    [{ order: true }, "taskStream: order: got true"],
  ])("%o is refused", (options, message) => {
    expect(() => taskStream([], () => 1, options as TaskStreamOptions)).toThrow(message);
    expect(() => taskStream(5 as never, () => 1)).toThrow("items: got 5");
  });
});
