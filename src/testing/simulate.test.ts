import { describe, expect, it } from "vitest";
import { SluiceError } from "../support/index.ts";
import { currentSystem } from "../runtime/index.ts";
import {
  Process,
  child,
  name,
  run,
  sleep,
  start,
  startSupervisor,
  startTask,
} from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "./simulate.ts";

/** What a simulation fails with. */
async function failure(
  simulated: Promise<unknown>,
): Promise<SluiceError<"SLUICE_SIMULATION_FAILED">> {
  const error: unknown = await simulated.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!SluiceError.is(error, "SLUICE_SIMULATION_FAILED")) throw error;
  return error;
}

class Steps extends Process {
  readonly #log: string[];
  readonly #who: string;
  constructor(who: string, log: string[]) {
    super();
    this.#who = who;
    this.#log = log;
  }
  step(): void {
    this.#log.push(this.#who);
  }
}

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

describe("a simulation that fails", () => {
  it("names the seed, what broke, and the last steps; with that seed it fails again", async () => {
    const program = async ({ seed }: { seed: number }): Promise<void> => {
      const log: string[] = [];
      await using a = await start(Steps, { args: ["a", log] });
      await a.call.step();
      if (seed >= 4) throw new RangeError("four");
    };
    const { details, message, cause } = await failure(simulate(program, { seeds: 10 }));
    expect(details).toMatchObject({ seed: 4, invariant: "RangeError: four" });
    expect(details.trace).toContainEqual(expect.stringMatching(/^0\.000 Steps#1 user step/));
    expect(message).toContain("seed 4 breaks: RangeError: four (replay it with { seeds: [4] })");
    expect(cause).toEqual(new RangeError("four"));
    expect((await failure(simulate(program, { seeds: [4] }))).details).toEqual(details);
  });

  it("when what always has to hold does not, after the step that broke it", async () => {
    const broken = simulate(
      async ({ always, quiet }) => {
        const log: string[] = [];
        always("fewer than three", () => log.length < 3);
        await using a = await start(Steps, { args: ["a", log] });
        for (let n = 0; n < 9; n++) a.cast.step();
        await quiet();
      },
      { seeds: 1 },
    );
    const { invariant, trace } = (await failure(broken)).details;
    expect(invariant).toBe("fewer than three");
    expect(trace.filter((line) => line.includes("user step"))).toHaveLength(3);
  });

  it.each([
    ["a process", async () => void (await start(Steps, { args: ["a", []] })), /processes Steps#1/],
    ["a timer", () => void setTimeout(() => {}, 10), /timers 1/],
  ])("when it leaves %s behind", async (_what, program, left) => {
    const { details, cause } = await failure(simulate(program, { seeds: 1 }));
    expect(details.invariant).toMatch(left);
    expect(cause).toMatchObject({ code: "SLUICE_LEFT_BEHIND" });
  });

  it("when it waits for what never comes, or goes on for ever", async () => {
    const forever = await failure(simulate(() => new Promise(() => {}), { seeds: 1 }));
    expect(forever.details.invariant).toMatch(/^the program goes on: nothing is left/);
    const endless = simulate(
      async () => {
        class Endless extends Process {
          protected override init(): void {
            this.#again();
          }
          #again(): void {
            this.self.after(0, () => this.#again());
          }
        }
        await start(Endless);
        await new Promise(() => {});
      },
      { seeds: 1, maxSteps: 100 },
    );
    expect((await failure(endless)).details.invariant).toBe("it ends within 100 steps");
  });

  it("puts the globals and the system back", async () => {
    const [system, now, timeout] = [currentSystem(), Date.now, globalThis.setTimeout];
    await failure(simulate(() => Promise.reject(new Error("no")), { seeds: 1 }));
    expect([currentSystem(), Date.now, globalThis.setTimeout]).toEqual([system, now, timeout]);
  });
});

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
