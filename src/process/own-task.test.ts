import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, sleep, start, type Context } from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

const nowMs = (): number => currentSystem().runtime.now();

class Boss extends Process {
  readonly results: unknown[] = [];
  #last: Disposable | undefined;
  begin(work: (context: Context) => Promise<unknown>): void {
    this.#last = this.self.task(work, (result) => {
      this.results.push(
        result.status === "fulfilled" ? result.value : { failed: result.reason as unknown },
      );
    });
  }
  tryBegin(work: () => Promise<unknown>): unknown {
    try {
      this.begin(work);
      return "begun";
    } catch (error) {
      return error;
    }
  }
  dispose(): void {
    this.#last?.[Symbol.dispose]();
    this.#last?.[Symbol.dispose]();
  }
  async busy(ms: number): Promise<void> {
    await sleep(ms, new AbortController().signal);
    this.results.push("busy");
  }
  heard(): readonly unknown[] {
    return [...this.results];
  }
}

describe("self.task", () => {
  it("runs beside the mailbox; done is a message", () =>
    simulated(async ({ advance }) => {
      await using boss = await start(Boss);
      boss.cast.begin(async () => {
        await sleep(10);
        return "task";
      });
      expect(await boss.call.heard()).toEqual([]);
      boss.cast.busy(30);
      await advance(100);
      expect(await boss.call.heard()).toEqual(["busy", "task"]);
    }));

  it("tells done of a rejection and of a throw alike; the process goes on", () =>
    simulated(async ({ quiet }) => {
      const error = new Error("no");
      await using boss = await start(Boss);
      boss.cast.begin(() => Promise.reject(error));
      boss.cast.begin(() => {
        throw error;
      });
      await quiet();
      expect(await boss.call.heard()).toEqual([{ failed: error }, { failed: error }]);
    }));

  it("at most maxTasks at once: one more throws SLUICE_TASKS_FULL, and a place is free when its work has ended", () =>
    simulated(async ({ advance }) => {
      await using boss = await start(Boss, { maxTasks: 2 });
      boss.cast.begin(() => sleep(10));
      boss.cast.begin(() => sleep(20));
      expect(await boss.call.tryBegin(() => sleep(1))).toMatchObject({
        code: "SLUICE_TASKS_FULL",
        retryable: true,
        details: { pid: boss.pid, limit: 2 },
      });
      await advance(15);
      expect(await boss.call.tryBegin(() => sleep(1))).toBe("begun");
      await advance(50);
    }));

  it("disposed is aborted, done is not told, and its place is free when its work has ended", () =>
    simulated(async ({ advance }) => {
      await using boss = await start(Boss, { maxTasks: 1 });
      let aborted: unknown;
      boss.cast.begin(async ({ signal }) => {
        await sleep(1_000, signal).catch(() => (aborted = nowMs()));
        await sleep(30, new AbortController().signal);
      });
      await advance(10);
      boss.cast.dispose();
      expect(await boss.call.tryBegin(async () => "too early")).toMatchObject({
        code: "SLUICE_TASKS_FULL",
      });
      await advance(31);
      expect(await boss.call.tryBegin(async () => "second")).toBe("begun");
      await advance(10);
      expect(aborted).toBe(10);
      expect(await boss.call.heard()).toEqual(["second"]);
    }));

  it("disposed when it has ended and done waits in the mailbox, is not told either", () =>
    simulated(async ({ advance }) => {
      class Fickle extends Boss {
        async busyThenDispose(ms: number): Promise<void> {
          await sleep(ms);
          this.dispose();
        }
      }
      await using boss = await start(Fickle);
      boss.cast.begin(() => sleep(5));
      boss.cast.busyThenDispose(20);
      await advance(50);
      expect(await boss.call.heard()).toEqual([]);
    }));

  it("is aborted when the process stops, before its callback in hand has ended, and holds nothing up", () =>
    simulated(async ({ advance }) => {
      const boss = await start(Boss);
      let reason: unknown;
      boss.cast.begin(async ({ signal }) => {
        await sleep(1_000, signal).catch((error: unknown) => (reason = [nowMs(), error]));
      });
      boss.cast.begin(() => new Promise(() => {}));
      boss.cast.busy(100);
      await advance(10);
      await boss.stop("shutdown");
      await advance(1);
      expect(reason).toMatchObject([
        10,
        { code: "SLUICE_EXITED", details: { reason: "shutdown" } },
      ]);
    }));

  it("waits by default for its own signal, and starts what it starts in the system of its process", () =>
    simulated(async ({ advance }) => {
      await using boss = await start(Boss);
      let ended: unknown;
      boss.cast.begin(() => sleep(1_000).catch(() => (ended = nowMs())));
      await advance(10);
      boss.cast.dispose();
      await advance(1);
      expect(ended).toBe(10);
    }));
});
