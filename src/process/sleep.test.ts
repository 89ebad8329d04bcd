import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, sleep, start } from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

const nowMs = (): number => currentSystem().runtime.now();

describe("sleep", () => {
  it("waits in Runtime time", () =>
    simulated(async () => {
      await Promise.all([sleep(20), sleep(10), sleep(0)]);
      expect(nowMs()).toBe(20);
    }));

  it("rejects with the reason of its signal, before or while it waits, and leaves no timer", () =>
    simulated(async () => {
      const controller = new AbortController();
      const waiting = sleep(1_000, controller.signal);
      const aborting = sleep(5).then(() => controller.abort("enough"));
      await expect(waiting).rejects.toBe("enough");
      await expect(sleep(1_000, controller.signal)).rejects.toBe("enough");
      await aborting;
      expect([nowMs(), currentSystem().wheel.size]).toEqual([5, 0]);
    }));

  it("called first in a callback takes the signal of that process; of Infinity it waits for that alone", () =>
    simulated(async ({ advance }) => {
      class Sleeper extends Process {
        async sleep(ms: number): Promise<void> {
          await sleep(ms);
        }
      }
      for (const ms of [1_000, Infinity]) {
        const sleeper = await start(Sleeper);
        sleeper.cast.sleep(ms);
        await advance(10);
        await sleeper.stop("normal");
        expect(await sleeper.exited).toBe("normal");
      }
      expect(nowMs()).toBe(20);
    }));

  it("leaves no listener on a signal that lives on", () =>
    simulated(async () => {
      let added = 0;
      const { signal } = new AbortController();
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        added++;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        added--;
        remove(...args);
      };
      for (let n = 0; n < 3; n++) await sleep(1, signal);
      expect(added).toBe(0);
    }));

  it.each([-1, NaN, "5"])("refuses %s", async (ms) => {
    await expect(sleep(ms as number)).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
      details: { option: "sleep: ms" },
    });
  });
});
