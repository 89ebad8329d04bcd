import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hop, row } from "../../test/process/row.ts";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, child, run, sleep, task } from "./index.ts";
import { processes } from "./internal.ts";

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

describe("run", () => {
  it("says what was left when its time to drain was up, one line for each process", () =>
    simulated(async ({ interrupt, advance }) => {
      const program = run(
        { strategy: "one_for_one", children: row([0, 10_000], []) },
        { drainTimeoutMs: 1_000 },
      );
      await advance(1);
      for (const item of ["a", "b"]) hop("0").cast.pass(item);
      await advance(1);
      interrupt();
      await program;
      const said = logged.filter((line) => line.includes("was not empty"));
      logged = [];
      expect(said).toEqual([
        expect.stringMatching(/^hop1#\d+ was not empty when .*: mailbox 1, running 1$/),
      ]);
      await advance(10_000);
    }));

  it("resolves with the reason of the tree", () =>
    simulated(async () => {
      const quick = task(() => {}, { restart: "transient", significant: true });
      const reason = await run({
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        children: { quick },
      });
      expect(reason).toBe("shutdown");
    }));

  it("calls ready once, when all is up, and does not wait for it when the tree ends", () =>
    simulated(async () => {
      const lines: string[] = [];
      class Slow extends Process {
        protected override async init(): Promise<void> {
          await sleep(10);
          lines.push("up");
        }
        leave(): void {
          this.self.stop("normal");
        }
      }
      const slow = child(Slow, { restart: "transient", significant: true });
      await run(
        { strategy: "one_for_one", autoShutdown: "any_significant", children: { slow } },
        {
          ready: async (app) => {
            lines.push("ready");
            app.children.slow.cast.leave();
            await new Promise(() => {});
          },
        },
      );
      expect(lines).toEqual(["up", "ready"]);
    }));

  it("a ready that asks what has ended with the tree is no failure of the program", () =>
    simulated(async () => {
      class Busy extends Process {
        async hang(): Promise<void> {
          await sleep(100, this.self.signal);
        }
      }
      const brief = task(() => sleep(10), { restart: "transient", significant: true });
      const program = run(
        {
          strategy: "one_for_one",
          autoShutdown: "any_significant",
          children: { busy: child(Busy), brief },
        },
        { ready: (app) => app.children.busy.call.hang() },
      );
      expect(await program).toBe("shutdown");
    }));

  it("a ready that rejects stops the tree, and run rejects with that", () =>
    simulated(async () => {
      const done: string[] = [];
      const program = run(
        { strategy: "one_for_one", children: row([0], done) },
        { ready: () => Promise.reject(new Error("not ready")) },
      );
      await expect(program).rejects.toThrow("not ready");
      expect(currentSystem().get(processes).count).toBe(0);
    }));

  it("asked to end while it starts, stops as far as it has come and resolves", () =>
    simulated(async ({ interrupt, advance }) => {
      class Hanging extends Process {
        protected override async init(): Promise<void> {
          await sleep(10_000);
        }
      }
      const program = run({
        strategy: "one_for_one",
        children: { ...row([0], []), hanging: child(Hanging) },
      });
      await advance(10);
      interrupt();
      expect([await program, nowMs()]).toEqual(["shutdown", 10]);
    }));

  it("asked twice, kills at once what is left", () =>
    simulated(async ({ interrupt, advance }) => {
      const program = run({ strategy: "one_for_one", children: row([10_000], []) });
      await advance(1);
      hop("0").cast.pass("x");
      await advance(1);
      interrupt();
      await advance(100);
      interrupt();
      expect([await program, nowMs()]).toEqual(["killed", 102]);
      await advance(20_000);
    }));

  it("rejects when a child does not start, and leaves nothing", () =>
    simulated(async () => {
      class Broken extends Process {
        protected override init(): void {
          throw new Error("no");
        }
      }
      const program = run({
        strategy: "one_for_one",
        children: { ...row([0], []), broken: child(Broken) },
      });
      await expect(program).rejects.toMatchObject({ code: "SLUICE_START_FAILED" });
    }));

  it("refuses a drainTimeoutMs that is no time", async () => {
    const program = run({ strategy: "one_for_one", children: {} }, { drainTimeoutMs: -1 });
    await expect(program).rejects.toMatchObject({ details: { option: "drainTimeoutMs" } });
  });
});
