import { describe, expect, it } from "vitest";
import { realRuntime, type Runtime } from "../runtime/internal.ts";
import { Process, child, name, sleep, startSupervisor, withSystem } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { manualClock } from "./manual-clock.ts";
import { Schedule } from "./schedule.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";

describe("manualClock", () => {
  it("stands still until it is moved, then rings what is due in order", async () => {
    const clock = manualClock();
    await withSystem(
      async () => {
        const log: string[] = [];
        const nap = async (ms: number, again: number): Promise<void> => {
          await sleep(ms);
          log.push(`${clock.nowMs} ${ms}`);
          await sleep(again);
          log.push(`${clock.nowMs} ${ms} again`);
        };
        const naps = [nap(20, 5), nap(10, 20)];
        await clock.quiet();
        expect([clock.nowMs, log]).toEqual([0, []]);
        await clock.advance(9);
        expect([clock.nowMs, log]).toEqual([9, []]);
        await clock.advance(100);
        await Promise.all(naps);
        expect(log).toEqual(["10 10", "20 20", "25 20 again", "30 10 again"]);
        expect(clock.nowMs).toBe(109);
      },
      { clock },
    );
  });

  it("is what timers, call timeouts and restart windows go by", async () => {
    using _silent = attach("sluice.log", () => {});
    class Beat extends Process {
      #beats = 0;
      protected override init(): void {
        this.self.every(1_000, () => void this.#beats++);
      }
      beats(): number {
        return this.#beats;
      }
      async hang(): Promise<void> {
        await sleep(10_000);
      }
      crash(): void {
        throw new Error("as told");
      }
    }
    const clock = manualClock();
    await withSystem(
      async () => {
        const beat = name<Beat>("beat");
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          maxRestarts: 1,
          maxSeconds: 60,
          children: { beat: child(Beat, { name: beat }) },
        });
        await clock.advance(5_500);
        expect(await beat.call.beats()).toBe(5);
        const call = beat.call.hang().then(
          () => "answered",
          (error: unknown) => error,
        );
        await clock.advance(5_000);
        expect(await call).toMatchObject({ code: "SLUICE_TIMEOUT" });
        await clock.advance(10_000);
        beat.cast.crash();
        await clock.advance(61_000);
        beat.cast.crash();
        await clock.quiet();
        expect(await beat.call.beats()).toBe(0);
      },
      { clock },
    );
  });

  it("refuses to go back", async () => {
    await expect(manualClock().advance(-1)).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
    });
  });
});

/** A Runtime, and what lets `ms` of its time pass. */
interface Case {
  readonly name: string;
  readonly make: () => { readonly runtime: Runtime; readonly pass: (ms: number) => Promise<void> };
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const cases: readonly Case[] = [
  {
    name: "the real one",
    make: () => ({
      runtime: realRuntime(),
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 20)),
    }),
  },
  {
    name: "that of a simulation",
    make: () => {
      const runtime = new SimulatedRuntime(1, new Schedule(1));
      const pass = async (ms: number): Promise<void> => {
        const until = runtime.now() + ms;
        for (const turn of runtime.turns.splice(0)) turn();
        while (runtime.alarms.ring(until)) await immediate();
        runtime.alarms.nowMs = until;
      };
      return { runtime, pass };
    },
  },
  {
    name: "that of a manual clock",
    make: () => {
      const clock = manualClock();
      return { runtime: clock["~runtime"] as Runtime, pass: clock.advance };
    },
  },
];

describe.each(cases)("a Runtime: $name", ({ make }) => {
  it("never goes back, and gives chance from 0 to 1", async () => {
    const { runtime, pass } = make();
    const before = runtime.now();
    await pass(5);
    expect(runtime.now()).toBeGreaterThanOrEqual(before + 5);
    for (let n = 0; n < 100; n++) {
      const chance = runtime.random();
      expect(chance >= 0 && chance < 1).toBe(true);
    }
  });

  it("rings alarms in the order of their times, none before it is due, and what was taken back never", async () => {
    const { runtime, pass } = make();
    const log: string[] = [];
    const from = runtime.now();
    const set = (ms: number) =>
      runtime.alarm(ms, () => log.push(`${ms} ${runtime.now() - from >= ms - 1}`));
    set(40);
    set(10);
    set(20).cancel();
    const held = set(30);
    held.hold(false);
    held.hold(true);
    await pass(60);
    held.hold(true);
    await pass(60);
    expect(log).toEqual(["10 true", "30 true", "40 true"]);
  });

  it("runs what is to run soon before what takes a turn, each in order, none at once", async () => {
    const { runtime, pass } = make();
    const log: string[] = [];
    runtime.soon(() => log.push("soon 1"));
    runtime.soon(() => log.push("soon 2"));
    runtime.turn(() => log.push("turn 1"));
    runtime.turn(() => log.push("turn 2"));
    expect(log).toEqual([]);
    await pass(1);
    expect(log).toEqual(["soon 1", "soon 2", "turn 1", "turn 2"]);
  });
});
