import { describe, expect, it } from "vitest";
import { child, name, sleep, start, startSupervisor, startTask } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { Steps } from "../../test/simulation/steps.ts";
import { simulate, type Simulation } from "./simulate.ts";

describe("faults", () => {
  it("crash processes that have a supervisor, and those alone, until the program calms down", async () => {
    await simulate(
      async ({ calm, quiet }) => {
        using _silent = attach("sluice.log", () => {});
        let crashes = 0;
        using _exits = attach("sluice.process.exited", ({ reason }) => {
          if (typeof reason === "object") crashes++;
        });
        const log: string[] = [];
        const steps = name<Steps>("steps");
        await using alone = await start(Steps, { args: ["alone", log] });
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          maxRestarts: 1_000,
          children: { steps: child(Steps, { name: steps, args: ["supervised", log] }) },
        });
        for (let n = 0; n < 50; n++) {
          alone.cast.step();
          steps.cast.step();
          await quiet();
        }
        const handled = log.filter((who) => who === "supervised").length;
        expect(log.filter((who) => who === "alone")).toHaveLength(50);
        expect([handled + crashes, crashes > 5]).toEqual([50, true]);
        calm();
        for (let n = 0; n < 50; n++) await steps.call.step();
      },
      { seeds: 5, faults: { crash: 0.3 } },
    );
  });

  it("crash a task instead of letting it begin or go on", async () => {
    let finished = 0;
    await simulate(
      async () => {
        using _silent = attach("sluice.log", () => {});
        await using app = await startSupervisor({ strategy: "one_for_one", children: {} });
        expect(app.pid).toMatch(/supervisor/);
        await using task = await startTask(() => sleep(1));
        await task.result;
        finished++;
      },
      { seeds: 3, faults: { crash: 1 } },
    );
    expect(finished).toBe(3);
  });

  it("slow: hold a mailbox for a while, and lose nothing", async () => {
    await simulate(
      async () => {
        const log: string[] = [];
        const steps = name<Steps>("steps");
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: { steps: child(Steps, { name: steps, args: ["a", log] }) },
        });
        for (let n = 0; n < 20; n++) await steps.call.step();
        expect(log).toHaveLength(20);
        expect(performance.now()).toBeGreaterThan(0);
        expect(performance.now()).toBeLessThanOrEqual(40 * 10);
      },
      { seeds: 10, faults: { slow: { probability: 0.5, maxMs: 10 } } },
    );
  });

  it("R44: clockJumpMs: the wall clock is wrong by as much, and nothing else is", async () => {
    const offs: number[] = [];
    const program = async ({ advance }: Simulation): Promise<void> => {
      const steps = name<Steps>("steps");
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { steps: child(Steps, { name: steps, args: ["a", []] }) },
      });
      const startedAt = performance.now();
      for (let n = 0; n < 100; n++) {
        await Promise.all([steps.call.step(), advance(10)]);
        offs.push(Date.now() - Date.UTC(2020, 0, 1) - performance.now());
      }
      expect(performance.now() - startedAt).toBe(1_000);
    };
    const hour = 3_600_000;
    const jumping = await simulate(program, { seeds: 20, faults: { clockJumpMs: hour } });
    expect(jumping.clockJumps).toBeGreaterThan(10);
    expect(Math.min(...offs)).toBeLessThan(-hour / 2);
    expect(Math.max(...offs)).toBeGreaterThan(hour / 2);
    expect(Math.max(...offs.map(Math.abs))).toBeLessThanOrEqual(hour);
    expect(jumping.digest).toBe((await simulate(program, { seeds: 20 })).digest);
  });

  it.each([
    [{ crash: 2 }, "faults.crash"],
    [{ crash: Number.NaN }, "faults.crash"],
    [{ slow: { probability: -1, maxMs: 1 } }, "faults.slow.probability"],
    [{ slow: { probability: 1, maxMs: -1 } }, "faults.slow.maxMs"],
    [{ clockJumpMs: -5 }, "faults.clockJumpMs"],
  ])("that cannot be are refused: %j", async (faults, option) => {
    await expect(simulate(() => {}, { seeds: 1, faults })).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
      details: { option },
    });
  });
});
