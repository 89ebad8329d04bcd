import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, refOf, sleep, start, type ChildOptions, type Context } from "./index.ts";
import type { ExitReason } from "../support/index.ts";
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

const zombies = (): number => currentSystem().get(processes).zombies;
const nowMs = (): number => currentSystem().runtime.now();

/** What happened to one process, kept outside of it. */
class Story {
  readonly lines: string[] = [];
  tell(line: string): void {
    this.lines.push(`${nowMs()} ${line}`);
  }
}

class Worker extends Process {
  readonly story: Story;
  constructor(story: Story) {
    super();
    this.story = story;
  }
  /** Heeds its signal. */
  async work(ms: number): Promise<void> {
    this.story.tell("works");
    await sleep(ms, this.self.signal);
    this.story.tell("worked");
  }
  /** Does not. */
  async workOn(ms: number): Promise<void> {
    this.story.tell("works");
    await sleep(ms, new AbortController().signal);
    this.story.tell("worked");
  }
  note(line: string): void {
    this.story.tell(line);
  }
  leave(reason: ExitReason): void {
    this.self.stop(reason);
  }
  protected override terminate(reason: ExitReason, _context: Context): void | Promise<void> {
    this.story.tell(`terminates ${typeof reason === "string" ? reason : Object.keys(reason)[0]}`);
  }
}

async function worker(story: Story, options: ChildOptions<Worker> = {}) {
  return start(Worker, { args: [story], ...options });
}

describe("stop", () => {
  it("O16: ends an idle process with the reason, after terminate", () =>
    simulated(async () => {
      const story = new Story();
      const process = await worker(story);
      await process.stop({ shutdown: "enough" });
      expect(await process.exited).toEqual({ shutdown: "enough" });
      expect(story.lines).toEqual(["0 terminates shutdown"]);
      expect(logged).toEqual([]);
    }));

  it("lets what is in hand end, then terminates; what waits is dropped", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      const process = await worker(story);
      process.cast.workOn(100);
      process.cast.note("next");
      await advance(10);
      await process.stop("shutdown");
      expect(story.lines).toEqual(["0 works", "100 worked", "100 terminates shutdown"]);
    }));

  it("aborts the signal with the reason; a rejection that comes of it is the stop and no crash", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      const process = await worker(story);
      process.cast.work(1_000);
      await advance(10);
      await process.stop("shutdown");
      expect(await process.exited).toBe("shutdown");
      expect(story.lines).toEqual(["0 works", "10 terminates shutdown"]);
      expect(logged).toEqual([]);
    }));

  it("takes an AbortError that the signal caused for the stop, one of something else for a crash", () =>
    simulated(async ({ advance }) => {
      class Fetcher extends Worker {
        async fetch(cause: "signal" | "other"): Promise<void> {
          const { signal } = this.self;
          try {
            await sleep(1_000, signal);
          } catch {
            const other: unknown = cause === "signal" ? signal.reason : new Error("other");
            throw Object.assign(new Error("aborted", { cause: other }), { name: "AbortError" });
          }
        }
      }
      for (const cause of ["signal", "other"] as const) {
        const process = await start(Fetcher, { args: [new Story()] });
        process.cast.fetch(cause);
        await advance(10);
        await process.stop("normal");
        expect(typeof (await process.exited)).toBe(cause === "signal" ? "string" : "object");
      }
    }));

  it("becomes a crash when the callback in hand rejects for a reason of its own", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      class Failing extends Worker {
        async fail(): Promise<void> {
          await sleep(50, new AbortController().signal);
          throw new Error("too bad");
        }
      }
      const process = await start(Failing, { args: [story] });
      process.cast.fail();
      await advance(10);
      await process.stop("shutdown");
      expect(await process.exited).toEqual({ crash: new Error("too bad") });
      expect(story.lines).toEqual(["50 terminates crash"]);
    }));

  it("R27: kills after `shutdown` ms what does not end; terminate does not run beside it", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      const process = await worker(story, { shutdown: 200 });
      process.cast.workOn(1_000);
      await advance(10);
      await process.stop("shutdown");
      expect(nowMs()).toBe(210);
      expect(await process.exited).toBe("killed");
      expect(zombies()).toBe(1);
      await advance(1_000);
      expect(zombies()).toBe(0);
      expect(story.lines).toEqual(["0 works", "1000 worked"]);
    }));

  it("R27: gives terminate `shutdown` ms of its own, then aborts its signal and kills", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      let given: AbortSignal | undefined;
      class Slow extends Worker {
        protected override async terminate(
          _reason: ExitReason,
          { signal }: Context,
        ): Promise<void> {
          given = signal;
          story.tell(
            `terminates, aborted: ${signal.aborted}, process: ${this.self.signal.aborted}`,
          );
          await new Promise(() => {});
        }
      }
      const process = await start(Slow, { args: [story], shutdown: 200 });
      process.cast.workOn(100);
      await advance(10);
      await process.stop("shutdown");
      expect(story.lines).toEqual([
        "0 works",
        "100 worked",
        "100 terminates, aborted: false, process: true",
      ]);
      expect(nowMs()).toBe(300);
      expect(given?.aborted).toBe(true);
      expect(await process.exited).toBe("killed");
    }));

  it("in terminate, a sleep without a signal waits for that deadline, not for the signal that has aborted", () =>
    simulated(async () => {
      class Tidy extends Process {
        protected override async terminate(): Promise<void> {
          await sleep(50);
        }
      }
      const process = await start(Tidy);
      await process.stop("normal");
      expect(await process.exited).toBe("normal");
      expect(nowMs()).toBe(50);
    }));

  it('with `shutdown: "infinity"` waits as long as it takes; with a timeout of the owner until that', () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      const process = await worker(story, { shutdown: "infinity" });
      process.cast.workOn(100_000);
      await advance(10);
      await process.stop("shutdown", { timeoutMs: 50_000 });
      expect(nowMs()).toBe(50_010);
      expect(await process.exited).toBe("killed");
      await advance(100_000);
    }));

  it('with `shutdown: "kill"` kills at once, but lets a process that stops by itself end in order', () =>
    simulated(async () => {
      const story = new Story();
      const killed = await worker(story, { shutdown: "kill" });
      await killed.stop("shutdown");
      expect(await killed.exited).toBe("killed");
      expect(story.lines).toEqual([]);
      const own = await worker(story, { shutdown: "kill" });
      own.cast.leave("normal");
      expect(await own.exited).toBe("normal");
      expect(story.lines).toEqual(["0 terminates normal"]);
    }));

  it("counts once: the first reason stands, a second stop waits for the same end", () =>
    simulated(async ({ advance }) => {
      const story = new Story();
      const process = await worker(story);
      process.cast.workOn(100);
      await advance(10);
      const first = process.stop({ shutdown: 1 });
      await advance(10);
      await Promise.all([first, process.stop({ shutdown: 2 })]);
      expect(await process.exited).toEqual({ shutdown: 1 });
      await process.stop("normal");
      expect(story.lines).toHaveLength(3);
    }));

  it("O16: of a process by itself takes effect after the callback in hand, for anything that waits", () =>
    simulated(async () => {
      const story = new Story();
      class Leaving extends Worker {
        async leaveSlowly(): Promise<void> {
          this.self.stop("normal");
          story.tell("still here");
        }
      }
      const process = await start(Leaving, { args: [story] });
      process.cast.leaveSlowly();
      process.cast.note("never");
      expect(await process.exited).toBe("normal");
      expect(story.lines).toEqual(["0 still here", "0 terminates normal"]);
    }));

  it("disposing an owned process is a shutdown", () =>
    simulated(async () => {
      const story = new Story();
      {
        await using _process = await worker(story);
      }
      expect(story.lines).toEqual(["0 terminates shutdown"]);
    }));

  it.each([-1, NaN, "1 s" as never])("refuses timeoutMs %s", async (timeoutMs) => {
    await simulate(
      async () => {
        await using process = await worker(new Story());
        await expect(process.stop("normal", { timeoutMs })).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "timeoutMs" },
        });
      },
      { seeds: 1 },
    );
    expect(logged).toEqual([]);
  });
});

describe("a crash", () => {
  class Crasher extends Worker {
    crash(): void {
      throw new Error("first");
    }
    later(): void {
      this.self.after(5, () => {
        throw new Error("timer");
      });
    }
    async rejects(): Promise<void> {
      await sleep(5);
      throw new Error("later");
    }
  }

  it("O10: runs terminate, ends with the error, and is logged where nobody supervises", () =>
    simulated(async () => {
      const story = new Story();
      const process = await start(Crasher, { args: [story] });
      process.cast.crash();
      expect(await process.exited).toEqual({ crash: new Error("first") });
      expect(story.lines).toEqual(["0 terminates crash"]);
      expect(logged).toEqual([`${process.pid} ended: crash: Error: first`]);
      logged.length = 0;
    }));

  it.each(["crash", "later", "rejects"] as const)("by %s is one", async (how) => {
    await simulate(
      async () => {
        const process = await start(Crasher, { args: [new Story()] });
        process.cast[how]();
        expect(await process.exited).toMatchObject({ crash: expect.any(Error) as Error });
      },
      { seeds: 20 },
    );
    expect(logged).toHaveLength(20);
  });

  it("in terminate takes the place of the first reason", () =>
    simulated(async () => {
      class Twice extends Crasher {
        protected override async terminate(): Promise<void> {
          await sleep(1);
          throw new Error("second");
        }
      }
      const process = await start(Twice, { args: [new Story()] });
      process.cast.crash();
      expect(await process.exited).toEqual({ crash: new Error("second") });
    }));
});

describe("a kill", () => {
  class Zombie extends Worker {
    async haunt(): Promise<void> {
      this.story.tell("works");
      await sleep(100, new AbortController().signal);
      // Dead by now: nothing of this may have an effect.
      const { self } = this;
      self.after(1e9, () => this.note("timer"));
      self.every(1e9, () => this.note("timer"));
      self.afterBuffered(() => this.note("buffered"));
      self.task(
        async () => this.note("task"),
        () => this.note("task"),
      );
      self.monitor(refOf(this), () => this.note("down"));
      self.trapExits(() => this.note("exit"));
      self.stop("normal");
      refOf<Zombie>(this).cast.note("cast");
      await self.startLinked(Worker, { args: [this.story] }).catch((error: unknown) => {
        this.story.tell((error as { code: string }).code);
      });
      throw new Error("nobody hears it");
    }
  }

  it("R26: detaches the callback in hand: a zombie, counted and reported, whose late results have no effect", () =>
    simulated(async ({ advance }) => {
      const reports: number[] = [];
      using _reports = attach("sluice.process.zombie", ({ count }) => reports.push(count));
      const story = new Story();
      const process = await start(Zombie, { args: [story], shutdown: 50 });
      const call = process.call.haunt();
      const stopped = advance(0).then(() => process.stop("normal"));
      await expect(call).rejects.toMatchObject({ details: { reason: "killed" } });
      await stopped;
      expect([await process.exited, nowMs(), zombies()]).toEqual(["killed", 50, 1]);
      await advance(1_000);
      expect(story.lines).toEqual(["0 works", "100 SLUICE_START_FAILED"]);
      expect(zombies()).toBe(0);
      expect(reports).toEqual([1, 0]);
      expect(await process.exited).toBe("killed");
    }));

  it("while a callback has settled, and its process has not looked at it, leaves no zombie", async () => {
    await simulate(
      async ({ advance }) => {
        const process = await worker(new Story(), { shutdown: 50 });
        process.cast.workOn(60);
        await advance(10);
        // The kill comes in the millisecond in which the callback ends.
        await process.stop("normal");
        await advance(100);
        expect(zombies()).toBe(0);
      },
      { seeds: 100 },
    );
  });

  it("does not run terminate", () =>
    simulated(async () => {
      const story = new Story();
      const process = await worker(story, { shutdown: "kill" });
      await process.stop();
      expect(story.lines).toEqual([]);
    }));
});
