import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { child, name, run, sleep, start, startSupervisor } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { Steps } from "../../test/simulation/steps.ts";
import { simulate, type Simulation } from "./simulate.ts";

/** In which order two processes run that are both ready. */
async function order(seeds: number | readonly number[]): Promise<string[]> {
  const orders: string[] = [];
  await simulate(
    async ({ quiet }) => {
      const log: string[] = [];
      await using a = await start(Steps, { args: ["a", log] });
      await using b = await start(Steps, { args: ["b", log] });
      for (let n = 0; n < 4; n++) {
        a.cast.step();
        b.cast.step();
      }
      await quiet();
      orders.push(log.join(""));
    },
    { seeds },
  );
  return orders;
}

describe("simulate", () => {
  it("runs the program once per seed, from 1, or for exactly these", async () => {
    const seen: number[] = [];
    const program = ({ seed }: { seed: number }): void => void seen.push(seed);
    expect(await simulate(program, { seeds: 3 })).toMatchObject({ seeds: 3, steps: 0 });
    await simulate(program, { seeds: [7, 2] });
    expect(seen).toEqual([1, 2, 3, 7, 2]);
  });

  it("lets the seed choose who runs next, and keeps the order of each sender and receiver", async () => {
    const orders = await order(50);
    expect(new Set(orders).size).toBeGreaterThan(10);
    for (const one of orders) expect(one.replaceAll("b", "")).toBe("aaaa");
    expect(await order([3, 4])).toEqual(orders.slice(2, 4));
  });

  it("R19: does the same again, step by step, for the same seed", async () => {
    const program = async (): Promise<void> => {
      const log: string[] = [];
      await using a = await start(Steps, { args: ["a", log] });
      await using b = await start(Steps, { args: ["b", log] });
      for (let n = 0; n < 4; n++) {
        a.cast.step();
        await b.call.step();
      }
    };
    const first = await simulate(program, { seeds: 5 });
    expect(await simulate(program, { seeds: 5 })).toEqual(first);
    expect((await simulate(program, { seeds: [6] })).digest).not.toBe(
      (await simulate(program, { seeds: [8] })).digest,
    );
  });

  it("lets time pass only when nothing can run, and then at once", async () => {
    await simulate(
      async ({ advance }) => {
        const startedAt = performance.now();
        await Promise.all([sleep(1e7), advance(3e7)]);
        expect(performance.now() - startedAt).toBe(3e7);
      },
      { seeds: 1 },
    );
  });

  it("quiet waits for what can run, not for timers", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        await using a = await start(Steps, { args: ["a", log] });
        const timer = sleep(5);
        a.cast.step();
        await quiet();
        expect([log, performance.now()]).toEqual([["a"], 0]);
        await timer;
      },
      { seeds: 5 },
    );
  });

  it("gives chance that follows from the seed", async () => {
    const chances: number[] = [];
    const program = ({ random }: { readonly random: () => number }): void =>
      void chances.push(random(), Math.random());
    await simulate(program, { seeds: [5] });
    await simulate(program, { seeds: [5] });
    expect(chances.slice(0, 2)).toEqual(chances.slice(2));
    expect(new Set(chances).size).toBe(2);
  });

  it("reports what happened, and says when the seeds made no difference", async () => {
    using _silent = attach("sluice.log", () => {});
    const steps = name<Steps>("steps");
    const supervised = async ({ advance }: Simulation): Promise<void> => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 100,
        children: { steps: child(Steps, { name: steps, args: ["a", []] }) },
      });
      for (let n = 0; n < 20; n++) {
        steps.cast.step();
        await advance(20);
      }
    };
    const faults = { crash: 0.2, slow: { probability: 0.2, maxMs: 10 }, clockJumpMs: 5 };
    const report = await simulate(supervised, { seeds: 10, faults });
    expect(report).toMatchObject({ seeds: 10, events: 0, traces: 10 });
    expect(report.crashes).toBeGreaterThan(20);
    expect(report.restarts).toBe(report.crashes);
    expect(report.slow).toBeGreaterThan(20);
    expect(report.clockJumps).toBeGreaterThan(3);
    expect(report.summary).toBe(
      `10 seeds, 10 distinct traces, ${report.steps.toLocaleString("en")} steps, 0 events, ` +
        `${report.crashes} crashes, ${report.slow} slow callbacks, ${report.clockJumps} clock jumps, ${report.crashes} restarts`,
    );
    const alone = async (): Promise<void> => {
      await using one = await start(Steps, { args: ["a", []] });
      await one.call.step();
    };
    const small = await simulate(alone, { seeds: 10 });
    expect(small.traces).toBe(1);
    expect(small.summary).toMatch(/every seed did the same, so this proves no more than one run$/);
    const { summary } = await simulate(() => {}, { seeds: 10 });
    expect(summary).toMatch(/no process ever ran, so this proves nothing$/);
  });

  it.each([{ seeds: 0 }, { seeds: 1.5 }, { seeds: 1, maxSteps: 0 }, { seeds: 1, maxShrinks: -1 }])(
    "refuses %j",
    async (options) => {
      await expect(simulate(() => {}, options)).rejects.toMatchObject({
        code: "SLUICE_INVALID_OPTION",
      });
    },
  );

  it("gives each run a system of its own, and puts the one before back", async () => {
    const before = currentSystem();
    const systems = new Set<object>();
    await simulate(() => void systems.add(currentSystem()), { seeds: 3 });
    expect([systems.size, systems.has(before)]).toEqual([3, false]);
    expect(currentSystem()).toBe(before);
  });

  it("interrupt asks a program to end, as SIGTERM does", async () => {
    await simulate(
      async ({ advance, interrupt }) => {
        const ended = run({ strategy: "one_for_one", children: {} });
        await advance(1_000);
        interrupt();
        expect(await ended).toBe("shutdown");
      },
      { seeds: 3 },
    );
  });
});

describe("load", () => {
  it("stands still until the program's first process is there, however long that takes", async () => {
    const realTimeout = globalThis.setTimeout;
    await simulate(
      async ({ advance, interrupt, load }) => {
        const loaded = load(async () => {
          await new Promise((resolve) => realTimeout(resolve, 20));
          await run({ strategy: "one_for_one", children: {} });
        });
        await advance(1_000);
        interrupt();
        await loaded;
        expect(performance.now()).toBe(1_000);
      },
      { seeds: 2 },
    );
  });

  it("hands on that a program cannot be loaded", async () => {
    await simulate(
      async ({ load }) => {
        await expect(load(() => Promise.reject(new TypeError("no module")))).rejects.toThrow(
          "no module",
        );
      },
      { seeds: 1 },
    );
  });
});
