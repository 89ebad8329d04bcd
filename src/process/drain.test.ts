import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, child, names, refOf, run, sleep, task } from "./index.ts";
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

const hop = names<Hop>("hop");
/** Passes what it is given on to the next, after some work. */
class Hop extends Process {
  readonly #next: string | undefined;
  readonly #done: string[];
  readonly #ms: number;
  constructor(next: string | undefined, done: string[], ms: number) {
    super();
    this.#next = next;
    this.#done = done;
    this.#ms = ms;
  }
  async pass(item: string): Promise<void> {
    if (this.#ms > 0) await sleep(this.#ms, new AbortController().signal);
    if (this.#next === undefined) this.#done.push(item);
    else hop(this.#next).cast.pass(item);
  }
}

/** A row of processes, the first of which is called "0"; each works so many ms. */
function row(works: readonly number[], done: string[]) {
  return Object.fromEntries(
    works.map((ms, index) => {
      const next = index + 1 < works.length ? String(index + 1) : undefined;
      const id = String(index);
      return [`hop${id}`, child(Hop, { name: hop(id), args: [next, done, ms] })];
    }),
  );
}

describe("a drain", () => {
  it("lets messages go their whole way, however long the row and slow the work", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(0, 0, 1, 7), { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        fc.nat(),
        async (works, items, seed) => {
          const done: string[] = [];
          const program = async ({ interrupt, advance }: Simulation) => {
            const program = run({ strategy: "one_for_one", children: row(works, done) });
            await advance(1);
            for (let n = 0; n < items; n++) hop("0").cast.pass(String(n));
            interrupt();
            expect(await program).toBe("shutdown");
          };
          await simulate(program, { seeds: [seed] });
          expect(done).toEqual(Array.from({ length: items }, (_, n) => String(n)));
        },
      ),
      { numRuns: 100 },
    ));

  it("ends at drainTimeoutMs: what is left is killed, to the last process", () =>
    simulated(async ({ interrupt, advance }) => {
      const done: string[] = [];
      const program = run(
        { strategy: "one_for_one", children: row([0, 10_000], done) },
        { drainTimeoutMs: 500 },
      );
      await advance(1);
      hop("0").cast.pass("slow");
      await advance(9);
      interrupt();
      expect([await program, nowMs()]).toEqual(["killed", 510]);
      await advance(0);
      expect(currentSystem().get(processes).count).toBe(0);
      await advance(20_000);
      expect(done).toEqual(["slow"]);
    }));

  it("does not abort work in hand, nor wait for tasks and timers beside the mailbox", () =>
    simulated(async ({ interrupt, advance }) => {
      const lines: string[] = [];
      class Busy extends Process {
        protected override init(): void {
          this.self.every(1_000, () => void lines.push("beat"));
          this.self.task(
            ({ signal }) => sleep(100_000, signal),
            () => void lines.push("task"),
          );
          this.self.after(1, async () => {
            const { signal } = this.self;
            await sleep(200, signal);
            lines.push(`worked, aborted: ${signal.aborted}`);
          });
        }
      }
      const program = run({ strategy: "one_for_one", children: { busy: child(Busy) } });
      await advance(3);
      interrupt();
      await program;
      expect([nowMs(), lines]).toEqual([201, ["worked, aborted: false"]]);
    }));

  it("stops in order, with time for terminate, what has not drained in three quarters of the time", () =>
    simulated(async ({ interrupt, advance }) => {
      const lines: string[] = [];
      class Stuck extends Process {
        async work(): Promise<void> {
          await sleep(3_600_000, this.self.signal);
        }
      }
      class Tidy extends Process {
        protected override terminate(): void {
          lines.push("tidied up");
        }
      }
      const program = run(
        { strategy: "one_for_one", children: { tidy: child(Tidy), stuck: child(Stuck) } },
        { drainTimeoutMs: 1_000, ready: (app) => app.children.stuck.cast.work() },
      );
      await advance(1);
      interrupt();
      expect([await program, nowMs(), lines]).toEqual(["shutdown", 751, ["tidied up"]]);
    }));

  it("does not wait for a function that is a process, which ends when it is told", () =>
    simulated(async ({ interrupt, advance }) => {
      const forever = task(({ signal }) => sleep(3_600_000, signal));
      const program = run({ strategy: "one_for_one", children: { forever } });
      await advance(1);
      interrupt();
      expect([await program, nowMs()]).toEqual(["shutdown", 1]);
    }));

  it("ends though a process goes on by itself", () =>
    simulated(async ({ interrupt, advance }) => {
      class Restless extends Process {
        protected override init(): void {
          this.self.after(0, () => this.again());
        }
        again(): void {
          refOf<Restless>(this).cast.again();
        }
      }
      const program = run({ strategy: "one_for_one", children: { restless: child(Restless) } });
      await advance(0);
      interrupt();
      expect(await program).toBe("shutdown");
    }));

  it("is over for a process that crashes meanwhile", () =>
    simulated(async ({ interrupt, advance }) => {
      class Crashing extends Process {
        async crash(): Promise<void> {
          await sleep(50, new AbortController().signal);
          throw new Error("no");
        }
      }
      const program = run({
        strategy: "one_for_one",
        children: {
          crashing: child(Crashing, { restart: "temporary", name: names<Crashing>("x")("y") }),
        },
      });
      await advance(1);
      names<Crashing>("x")("y").cast.crash();
      await advance(1);
      interrupt();
      expect([await program, nowMs()]).toEqual(["shutdown", 51]);
    }));
});

describe("run", () => {
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
