import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, child, name, names, sleep, start, startSupervisor, stop } from "./index.ts";
import { cellOf, processes } from "./internal.ts";

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

class Greeter extends Process {
  readonly greeting: string;
  constructor(greeting = "hello") {
    super();
    this.greeting = greeting;
  }
  greet(who: string): string {
    return `${this.greeting} ${who}`;
  }
}

describe("start", () => {
  it("O11: resolves when init has run; args reach the constructor", () =>
    simulated(async () => {
      class Slow extends Greeter {
        ready = false;
        protected override async init(): Promise<void> {
          await sleep(50);
          this.ready = true;
        }
        isReady(): boolean {
          return this.ready;
        }
      }
      await using slow = await start(Slow, { args: ["hi"] });
      expect(nowMs()).toBe(50);
      expect([await slow.call.isReady(), await slow.call.greet("you")]).toEqual([true, "hi you"]);
    }));

  it("starts any class, one that is no Process too: it has messages, and no self", () =>
    simulated(async () => {
      class Plain {
        double(n: number): number {
          return 2 * n;
        }
      }
      await using plain = await start(Plain);
      expect(await plain.call.double(21)).toBe(42);
    }));

  it.each(["constructor", "init", "async init"] as const)(
    "R26: rejects SLUICE_START_FAILED with the cause when the %s throws; terminate does not run",
    async (where) => {
      const boom = new Error("boom");
      const lines: string[] = [];
      class Broken extends Process {
        constructor() {
          super();
          if (where === "constructor") throw boom;
        }
        protected override init(): void | Promise<void> {
          if (where === "async init") return sleep(1).then(() => Promise.reject(boom));
          throw boom;
        }
        protected override terminate(): void {
          lines.push("terminated");
        }
      }
      await simulate(
        async () => {
          await expect(start(Broken, { name: name("broken") })).rejects.toMatchObject({
            code: "SLUICE_START_FAILED",
            cause: boom,
            details: { child: "broken", reason: { crash: boom } },
            message: "broken did not start (crash: Error: boom)",
          });
        },
        { seeds: 20 },
      );
      expect([lines, logged]).toEqual([[], []]);
    },
  );

  it("R26: an init that hangs is killed `shutdown` ms after the stop; the start rejects, a late result changes nothing", () =>
    simulated(async ({ advance }) => {
      const hanging = name<Hanging>("hanging");
      class Hanging extends Greeter {
        protected override async init(): Promise<void> {
          await sleep(1_000, new AbortController().signal);
        }
      }
      const starting = start(Hanging, { name: hanging, shutdown: 100 });
      const stopped = advance(10).then(() => stop(hanging));
      await expect(starting).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        details: { reason: "killed" },
      });
      await stopped;
      expect(nowMs()).toBe(110);
      expect(hanging.whereis()).toBeUndefined();
      await advance(2_000);
      expect(currentSystem().get(processes).zombies).toBe(0);
    }));

  it("R26: stopped while init runs, it is told by its signal, and the start rejects with the reason of the stop", () =>
    simulated(async ({ advance }) => {
      const heeding = name<Heeding>("heeding");
      const lines: string[] = [];
      class Heeding extends Greeter {
        protected override async init(): Promise<void> {
          await sleep(1_000);
        }
        protected override terminate(): void {
          lines.push("terminated");
        }
      }
      const starting = start(Heeding, { name: heeding });
      const stopped = advance(10).then(() => stop(heeding, "shutdown"));
      await expect(starting).rejects.toMatchObject({ details: { reason: "shutdown" } });
      await stopped;
      expect([nowMs(), lines]).toEqual([10, []]);
    }));

  it("stopped while init runs, which then ends well, it terminates in order without ever having been up", () =>
    simulated(async ({ advance }) => {
      const stubborn = name<Stubborn>("stubborn");
      const lines: string[] = [];
      class Stubborn extends Greeter {
        protected override async init(): Promise<void> {
          await sleep(100, new AbortController().signal);
        }
        protected override terminate(): void {
          lines.push("terminated");
        }
      }
      const starting = start(Stubborn, { name: stubborn });
      stubborn.cast.greet("never");
      const stopped = advance(10).then(() => stop(stubborn, "shutdown"));
      await expect(starting).rejects.toMatchObject({ details: { reason: "shutdown" } });
      await stopped;
      expect([nowMs(), lines]).toEqual([100, ["terminated"]]);
    }));

  it("stopped while init runs, its engine does not begin", () =>
    simulated(async ({ advance }) => {
      const equipped = name<Equipped>("equipped");
      const lines: string[] = [];
      class Equipped extends Greeter {
        constructor() {
          super();
          cellOf(this).engine = {
            role: "test",
            started: () => void lines.push("began"),
            stopping: () => void lines.push("stopping"),
            exited: () => void lines.push("exited"),
            receive: () => undefined,
          };
        }
        protected override async init(): Promise<void> {
          await sleep(100, new AbortController().signal);
        }
      }
      const starting = start(Equipped, { name: equipped });
      const stopped = advance(10).then(() => stop(equipped, "shutdown"));
      await expect(starting).rejects.toMatchObject({ code: "SLUICE_START_FAILED" });
      await stopped;
      expect(lines.splice(0)).toEqual(["stopping", "exited"]);
      await using _running = await start(Equipped, { name: equipped });
      expect(lines).toEqual(["began"]);
    }));

  it("stopped before its first turn, it never runs", () =>
    simulated(async () => {
      const early = name<Never>("early");
      class Never extends Greeter {
        constructor() {
          super();
          throw new Error("ran");
        }
      }
      const starting = start(Never, { name: early });
      const stopped = stop(early, "shutdown");
      await expect(starting).rejects.toMatchObject({ details: { reason: "shutdown" } });
      await stopped;
    }));

  it("stops itself in its own init, in order", () =>
    simulated(async () => {
      class Brief extends Greeter {
        protected override init(): void {
          this.self.stop("normal");
        }
      }
      const brief = await start(Brief);
      expect(await brief.exited).toBe("normal");
    }));
});

describe("stop", () => {
  it("O16: of a name stops whoever has it; of a name that nobody has does nothing", () =>
    simulated(async () => {
      const greeter = name<Greeter>("greeter");
      const running = await start(Greeter, { name: greeter });
      await stop(greeter, { shutdown: "by name" });
      expect(await running.exited).toEqual({ shutdown: "by name" });
      await stop(greeter);
    }));
});

describe("name", () => {
  it("O29: is there before init runs, and free when the process is gone, before anybody is told", () =>
    simulated(async () => {
      const seen: unknown[] = [];
      const greeter = name<Named>("greeter");
      class Named extends Greeter {
        protected override init(): void {
          seen.push(greeter.whereis()?.pid === this.self.pid);
        }
      }
      class Watcher extends Process {
        watch(): void {
          this.self.monitor(greeter, () => {
            seen.push(greeter.whereis());
          });
        }
      }
      const running = await start(Named, { name: greeter });
      await using watcher = await start(Watcher);
      await watcher.call.watch();
      const exited = running.exited.then(() => seen.push(greeter.whereis()));
      await running.stop();
      await exited;
      await watcher.call.watch();
      expect(seen.slice(0, 3)).toEqual([true, undefined, undefined]);
    }));

  it("R30: two starts race for one: one wins, the other is told who has it", () =>
    simulated(async () => {
      const greeter = name<Greeter>("greeter");
      const results = await Promise.allSettled([
        start(Greeter, { name: greeter }),
        start(Greeter, { name: greeter }),
      ]);
      const [winner, loser] = results.toSorted((a, b) => a.status.localeCompare(b.status));
      if (winner?.status !== "fulfilled" || loser?.status !== "rejected")
        throw new Error("no race");
      expect(loser.reason).toMatchObject({
        code: "SLUICE_ALREADY_REGISTERED",
        details: { key: "greeter", holder: { pid: winner.value.pid } },
        message: `the name greeter belongs to ${winner.value.pid}`,
      });
      expect([...currentSystem().get(processes)]).toHaveLength(1);
      await winner.value.stop();
      await using again = await start(Greeter, { name: greeter });
      expect(await greeter.call.greet("you")).toBe("hello you");
      expect(greeter.whereis()?.pid).toBe(again.pid);
    }));

  it("R30: a start that fails frees it", () =>
    simulated(async () => {
      const greeter = name<Greeter>("greeter");
      class Broken extends Greeter {
        protected override init(): void {
          throw new Error("no");
        }
      }
      await expect(start(Broken, { name: greeter })).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
      });
      await using _running = await start(Greeter, { name: greeter });
      expect(await greeter.call.greet("you")).toBe("hello you");
    }));

  it("O29: of a family is one name per key", () =>
    simulated(async () => {
      const greeters = names<Greeter>("greeters");
      await using _a = await start(Greeter, { name: greeters("a"), args: ["a"] });
      await using _b = await start(Greeter, { name: greeters("b"), args: ["b"] });
      expect([await greeters("a").call.greet("x"), await greeters("b").call.greet("x")]).toEqual([
        "a x",
        "b x",
      ]);
      expect(greeters("c").whereis()).toBeUndefined();
      expect(`${String(greeters("a"))}`).toBe("the name greeters/a");
    }));

  it("two tokens of one text are one name", () =>
    simulated(async () => {
      await using running = await start(Greeter, { name: name<Greeter>("same") });
      expect(name<Greeter>("same").whereis()?.pid).toBe(running.pid);
    }));

  it("takes a text", () => {
    expect(() => name("")).toThrow(expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }));
    expect(() => name(7 as never)).toThrow(
      expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
    );
  });
});

describe("options", () => {
  const refused: readonly [string, object, string][] = [
    ["maxMailbox", { maxMailbox: 0 }, "got 0, expected a whole number of at least 1"],
    ["maxMailbox", { maxMailbox: 1.5 }, "got 1.5, expected a whole number of at least 1"],
    ["maxTasks", { maxTasks: "3" }, 'got "3", expected a whole number of at least 1'],
    [
      "shutdown",
      { shutdown: -1 },
      'got -1, expected milliseconds, 0 or more, "infinity" or "kill"',
    ],
    [
      "shutdown",
      { shutdown: Infinity },
      'got Infinity, expected milliseconds, 0 or more, "infinity" or "kill"',
    ],
    [
      "shutdown",
      { shutdown: "brutal" },
      'got "brutal", expected milliseconds, 0 or more, "infinity" or "kill"',
    ],
    ["exclusive", { exclusive: 1 }, "got 1, expected true or false"],
    [
      "restart",
      { restart: "always" },
      'got "always", expected "permanent" or "transient" or "temporary"',
    ],
    ["significant", { significant: "yes" }, 'got "yes", expected true or false'],
    [
      "significant",
      { significant: true },
      'got true, expected false, or restart "transient" or "temporary"',
    ],
    ["name", { name: "greeter" }, 'got "greeter", expected what name(…) or names(…)(…) returns'],
    ["args", { args: "hello" }, 'got "hello", expected a list of constructor arguments'],
    [
      "Greeter: maxMailbx",
      { maxMailbx: 1 },
      "got 1, expected one of the options args, name, restart",
    ],
  ];
  it.each(refused)("refuses %s: %o", (option, options, text) => {
    expect(() => child(Greeter, options)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        details: expect.objectContaining({ option }) as object,
      }),
    );
    expect(() => child(Greeter, options)).toThrow(text);
  });

  it.each([undefined, "Greeter", {}])("refuses the class %o", (process) => {
    expect(() => child(process as never, {} as never)).toThrow("expected a class");
  });

  it("are refused as a rejection by start", async () => {
    await expect(start(Greeter, { maxMailbox: 0 })).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
    });
  });

  it("a spec is a plain value: it can be used twice", () =>
    simulated(async () => {
      const spec = child(Greeter, { args: ["hi"] });
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: spec, b: spec },
      });
      const { a, b } = app.children;
      expect([await a.call.greet("x"), await b.call.greet("y")]).toEqual(["hi x", "hi y"]);
    }));
});
