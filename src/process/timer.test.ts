import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, sleep, start } from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

const nowMs = (): number => currentSystem().runtime.now();

class Clock extends Process {
  readonly rings: string[] = [];
  #timer: Disposable | undefined;
  after(ms: number, what = "after"): void {
    this.#timer = this.self.after(ms, () => this.ring(what));
  }
  every(ms: number, workMs = 0): void {
    this.#timer = this.self.every(ms, async () => {
      this.ring("every");
      if (workMs > 0) await sleep(workMs);
    });
  }
  stopOnBeat(ms: number, beat: number): void {
    let beats = 0;
    const timer = this.self.every(ms, () => {
      this.ring("every");
      if (++beats === beat) timer[Symbol.dispose]();
    });
  }
  dispose(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
  }
  async busy(ms: number): Promise<void> {
    await sleep(ms);
  }
  async busyThenDispose(ms: number): Promise<void> {
    await sleep(ms);
    this.dispose();
  }
  ring(what: string): void {
    this.rings.push(`${what} ${nowMs()}`);
  }
  heard(): readonly string[] {
    return [...this.rings];
  }
}

describe("self.after", () => {
  it("O34: runs once, not before its time, as a message behind the one in hand", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.after(20);
      clock.cast.busy(50);
      await advance(100);
      expect(await clock.call.heard()).toEqual(["after 50"]);
    }));

  it("keeps the order of deadlines, and of equal ones that in which they were set", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      for (const [ms, what] of [
        [20, "a"],
        [10, "b"],
        [20, "c"],
        [0, "d"],
      ] as const)
        clock.cast.after(ms, what);
      await advance(100);
      expect(await clock.call.heard()).toEqual(["d 0", "b 10", "a 20", "c 20"]);
    }));

  it("O34: disposed does not run, also when its time has come and the message waits", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.after(20);
      clock.cast.dispose();
      clock.cast.after(60);
      clock.cast.busyThenDispose(80);
      await advance(200);
      expect(await clock.call.heard()).toEqual([]);
    }));
});

describe("self.every", () => {
  it("runs every so many ms, in a rhythm that does not drift with the work", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.every(10, 4);
      await advance(45);
      expect(await clock.call.heard()).toEqual(["every 10", "every 20", "every 30", "every 40"]);
    }));

  it("does not pile up: a busy process skips beats, and takes the rhythm up again", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.every(10);
      await advance(15);
      clock.cast.busy(40);
      await advance(60);
      expect(await clock.call.heard()).toEqual(["every 10", "every 55", "every 60", "every 70"]);
    }));

  it("whose work takes longer than its beat has one that waits, never more", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.every(10, 25);
      await advance(80);
      expect(await clock.call.heard()).toEqual(["every 10", "every 35", "every 60", "every 85"]);
    }));

  it("ends when disposed, also from within its own beat", () =>
    simulated(async ({ advance }) => {
      await using clock = await start(Clock);
      clock.cast.stopOnBeat(10, 3);
      await advance(100);
      expect(await clock.call.heard()).toEqual(["every 10", "every 20", "every 30"]);
    }));
});

describe("timers", () => {
  it("O34: are gone with their process: the system is left without any", () =>
    simulated(async ({ advance }) => {
      const clock = await start(Clock);
      clock.cast.after(1_000);
      clock.cast.every(10);
      await advance(25);
      await clock.stop("normal");
      expect(currentSystem().wheel.size).toBe(0);
      expect(nowMs()).toBe(25);
    }));

  it.each([
    ["after", -1],
    ["after", NaN],
    ["after", Infinity],
    ["every", 0],
    ["every", -1],
    ["every", Infinity],
  ] as const)("refuse %s(%d)", async (kind, ms) => {
    class Wrong extends Clock {
      try(): unknown {
        try {
          this[kind](ms);
          return undefined;
        } catch (error) {
          return (error as { details: unknown }).details;
        }
      }
    }
    await simulate(
      async () => {
        await using wrong = await start(Wrong);
        expect(await wrong.call.try()).toMatchObject({ option: `${kind}: ms`, got: String(ms) });
      },
      { seeds: 1 },
    );
  });
});
