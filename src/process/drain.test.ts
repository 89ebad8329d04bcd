import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { hop, row } from "../../test/process/row.ts";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  Process,
  child,
  drain,
  names,
  refOf,
  run,
  sleep,
  start,
  startSupervisor,
  task,
} from "./index.ts";
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

  it("waits for the tasks beside the mailbox, and for what their ends set off", () =>
    simulated(async ({ interrupt, advance }) => {
      const done: string[] = [];
      class Fetching extends Process {
        fetch(item: string): void {
          this.self.task(
            ({ signal }) => sleep(100, signal),
            ({ status }) => hop("0").cast.pass(`${item} ${status}`),
          );
        }
        forget(): void {
          this.self
            .task(
              () => sleep(10_000, new AbortController().signal),
              () => {},
            )
            [Symbol.dispose]();
        }
      }
      const program = run(
        { strategy: "one_for_one", children: { fetching: child(Fetching), ...row([7, 0], done) } },
        {
          ready: ({ children: { fetching } }) => {
            fetching.cast.fetch("a");
            fetching.cast.fetch("b");
            fetching.cast.forget();
          },
        },
      );
      await advance(1);
      interrupt();
      expect([await program, nowMs()]).toEqual(["shutdown", 114]);
      expect(done).toEqual(["a fulfilled", "b fulfilled"]);
      await advance(10_000);
    }));

  it("goes round as often as work comes back to whom it came from", () =>
    simulated(async ({ interrupt, advance }) => {
      const done: number[] = [];
      const pages = names<Pages>("pages");
      class Pages extends Process {
        next(page: number): void {
          done.push(page);
          if (page < 50) pages("all").cast.next(page + 1);
        }
      }
      const program = run({
        strategy: "one_for_one",
        children: { pages: child(Pages, { name: pages("all") }) },
      });
      await advance(1);
      pages("all").cast.next(1);
      interrupt();
      await program;
      expect(done.length).toBe(50);
    }));

  it("does not abort work in hand, nor wait for timers", () =>
    simulated(async ({ interrupt, advance }) => {
      const lines: string[] = [];
      class Busy extends Process {
        protected override init(): void {
          this.self.every(1_000, () => void lines.push("beat"));
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

describe("drain", () => {
  it("tells who has something left where when its time is up, and aborts and stops nobody", () =>
    simulated(async ({ advance }) => {
      const done: string[] = [];
      class Working extends Process {
        work(): void {
          this.self.task(
            ({ signal }) => sleep(1_500, signal),
            () => void done.push("task"),
          );
        }
      }
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { ...row([0, 1_000], done), working: child(Working) },
      });
      app.children.working.cast.work();
      for (const item of ["a", "b", "c"]) hop("0").cast.pass(item);
      await advance(1);
      const startMs = nowMs();
      const { left, elapsedMs } = await drain(app, { timeoutMs: 500 });
      expect([elapsedMs, nowMs()]).toEqual([500, startMs + 500]);
      expect(left.map(({ label, backlog }) => [label, backlog])).toEqual([
        ["hop1", { mailbox: 2, running: 1 }],
        ["working", { tasks: 1 }],
      ]);
      expect((await drain(app)).left).toEqual([]);
      expect(done).toEqual(["a", "task", "b", "c"]);
    }));

  it("of nobody is over at once", () =>
    simulated(async () => {
      expect(await drain(hop("nobody"))).toEqual({ left: [], elapsedMs: 0 });
    }));

  it("reports what crashed meanwhile no more, and a process that ends while it drains holds nothing up", () =>
    simulated(async () => {
      class Crashing extends Process {
        async crash(): Promise<void> {
          await sleep(50);
          throw new Error("no");
        }
      }
      const crashing = await start(Crashing);
      crashing.cast.crash();
      const { left, elapsedMs } = await drain(crashing);
      expect([left, elapsedMs]).toEqual([[], 50]);
    }));

  it("refuses a timeoutMs that is no time", async () => {
    const drained = drain(hop("0"), { timeoutMs: -1 });
    await expect(drained).rejects.toMatchObject({ details: { option: "timeoutMs" } });
  });
});
