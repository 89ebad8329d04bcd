import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  name,
  sleep,
  startSupervisor,
  startTask,
  stop,
  task,
  type Context,
  type Task,
} from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let logged: string[];
let listener: Disposable;
beforeEach(() => {
  logged = [];
  listener = attach("sluice.log", ({ message }) => logged.push(message));
});
afterEach(() => listener[Symbol.dispose]());

const nowMs = (): number => currentSystem().runtime.now();
const boom = new Error("boom");

describe("startTask", () => {
  it("O32: result is what the function gives, at once or later; its end is normal", () =>
    simulated(async () => {
      const soon = await startTask(() => 1);
      const later = await startTask(async ({ signal }) => {
        await sleep(10, signal);
        return 2;
      });
      expect([await soon.result, await soon.exited]).toEqual([1, "normal"]);
      expect([await later.result, await later.exited, nowMs()]).toEqual([2, "normal", 10]);
      expect(logged).toEqual([]);
    }));

  it("O32: result rejects with what the function throws or rejects with, which is the reason of its end", () =>
    simulated(async () => {
      const throwing = await startTask(() => {
        throw boom;
      });
      const rejecting = await startTask(() => Promise.reject(boom));
      for (const failed of [throwing, rejecting]) {
        await expect(failed.result).rejects.toBe(boom);
        expect(await failed.exited).toEqual({ crash: boom });
      }
    }));

  it("O32: stopped, its signal aborts, and result rejects SLUICE_EXITED, also when it heeds nothing", () =>
    simulated(async ({ advance }) => {
      for (const signal of [undefined, new AbortController().signal]) {
        const begunMs = nowMs();
        const job = await startTask(() => sleep(10_000, signal), { shutdown: 100 });
        const stopped = advance(10).then(() => job.stop("shutdown"));
        await expect(job.result).rejects.toMatchObject({
          code: "SLUICE_EXITED",
          details: { reason: signal === undefined ? "shutdown" : "killed" },
        });
        await stopped;
        expect(nowMs() - begunMs).toBe(signal === undefined ? 10 : 110);
      }
      await advance(20_000);
    }));

  it("O32: resultWithin gives up the wait, not the task; asked again, it has the result", () =>
    simulated(async () => {
      const job = await startTask(({ signal }) => sleep(100, signal).then(() => 42));
      for (const timeoutMs of [10, 20])
        await expect(job.resultWithin(timeoutMs)).rejects.toMatchObject({
          code: "SLUICE_TIMEOUT",
          retryable: true,
          details: { timeoutMs },
        });
      expect([await job.resultWithin(), nowMs()]).toEqual([42, 100]);
      expect([await job.exited, await job.resultWithin(0)]).toEqual(["normal", 42]);
      await expect(job.resultWithin(-1)).rejects.toMatchObject({ code: "SLUICE_INVALID_OPTION" });
      expect(currentSystem().wheel.size).toBe(0);
    }));

  it("O32: stopped after its result, it keeps it", () =>
    simulated(async ({ advance }) => {
      const job = await startTask(() => 1);
      await advance(1);
      await job.stop("shutdown");
      expect(await job.result).toBe(1);
    }));

  it("is given its signal and nothing else of itself", () =>
    simulated(async ({ advance }) => {
      const contexts: Context[] = [];
      const look = (context: Context): void => void contexts.push(context);
      await startTask(look);
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { look: task(look) },
      });
      await advance(1);
      for (const context of contexts) {
        const members = Object.getOwnPropertyNames(Object.getPrototypeOf(context));
        expect([Object.keys(context), members]).toEqual([[], ["constructor", "signal"]]);
        expect(context.signal.aborted).toBe(true);
      }
      expect(contexts).toHaveLength(2);
    }));

  it("a result that nobody reads is no floating rejection", () =>
    simulated(async () => {
      const job = await startTask(() => Promise.reject(boom));
      expect(await job.exited).toEqual({ crash: boom });
    }));

  it("disposed is stopped", () =>
    simulated(async () => {
      let aborted = false;
      {
        await using _job = await startTask(({ signal }) =>
          sleep(1_000, signal).finally(() => (aborted = signal.aborted)),
        );
      }
      expect([aborted, nowMs()]).toEqual([true, 0]);
    }));

  it("may have a name, and has no messages", () =>
    simulated(async () => {
      const job = name<Task>("job");
      await using running = await startTask(() => sleep(100), { name: job });
      expect(job.whereis()?.pid).toBe(running.pid);
      expect(Object.keys(running.cast)).toEqual([]);
      await stop(job);
    }));
});

describe("task", () => {
  it("O28: as a child runs once and is not started again, unless its restart says so", () =>
    simulated(async ({ advance }) => {
      const runs = { once: 0, retried: 0 };
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          once: task(() => {
            runs.once++;
            throw boom;
          }),
          retried: task(
            async () => {
              await sleep(1);
              if (++runs.retried < 3) throw boom;
            },
            { restart: "transient" },
          ),
        },
      });
      await advance(100);
      expect(runs).toEqual({ once: 1, retried: 3 });
      expect(await app.call.countChildren()).toMatchObject({ specs: 2, active: 0 });
    }));

  it("is stopped with its supervisor, in reverse order like any child", () =>
    simulated(async ({ advance }) => {
      const ends: string[] = [];
      const job = (id: string) =>
        task(({ signal }) => sleep(1_000, signal).finally(() => ends.push(id)));
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: job("a"), b: job("b") },
      });
      await advance(10);
      await app.stop("shutdown");
      expect(ends).toEqual(["b", "a"]);
    }));
});
