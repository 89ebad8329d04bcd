import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, child, name, sleep, start, startSupervisor, stop, task } from "./index.ts";
import { processes } from "./internal.ts";
import { Actor, Script, Troupe, boom } from "../../test/process/troupe.ts";

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

describe("startSupervisor", () => {
  it("O19: starts children one after the other, and stops them in reverse", () =>
    simulated(async () => {
      const troupe = new Troupe();
      troupe.script("a").initMs = 30;
      troupe.script("b").terminateMs = 20;
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), b: troupe.actor("b"), c: troupe.actor("c") },
      });
      expect(troupe.seen()).toEqual(["a up 30", "b up 30", "c up 30"]);
      await app.stop("shutdown");
      expect(troupe.seen()).toEqual(["c down 30", "b down 50", "a down 50"]);
      expect(logged).toEqual([]);
    }));

  it("O19, R26: when one fails to start, stops those that are up in reverse and rejects with the cause", () =>
    simulated(async () => {
      const troupe = new Troupe();
      troupe.script("c").failing = 1;
      const starting = startSupervisor({
        strategy: "one_for_one",
        children: {
          a: troupe.actor("a"),
          b: troupe.actor("b"),
          c: troupe.actor("c"),
          d: troupe.actor("d"),
        },
      });
      await expect(starting).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        details: { child: "supervisor" },
        cause: {
          code: "SLUICE_START_FAILED",
          details: { child: "c", reason: { crash: boom } },
          cause: boom,
        },
      });
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "b down 0", "a down 0"]);
      expect([...currentSystem().get(processes)]).toEqual([]);
    }));

  it("a name that is taken by another process fails the start of the tree", () =>
    simulated(async () => {
      const troupe = new Troupe();
      const taken = name<Actor>("taken");
      await using holder = await start(Actor, { name: taken, args: [new Script("x", [])] });
      const starting = startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), b: troupe.actor("b", { name: taken }) },
      });
      await expect(starting).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        cause: { code: "SLUICE_ALREADY_REGISTERED", details: { holder: { pid: holder.pid } } },
      });
      expect(troupe.seen()).toEqual(["a up 0", "a down 0"]);
    }));

  it("R26: stopped while a child hangs in its init, kills that after its time, stops the others, ends for the reason of the stop", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const tree = name<never>("tree");
      class Hanging extends Process {
        protected override async init(): Promise<void> {
          await sleep(10_000, new AbortController().signal);
        }
      }
      const starting = startSupervisor({
        name: tree as never,
        strategy: "one_for_one",
        children: {
          a: troupe.actor("a"),
          hanging: child(Hanging, { shutdown: 100 }),
          c: troupe.actor("c"),
        },
      });
      const stopping = advance(10).then(() => stop(tree, "shutdown"));
      await expect(starting).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        details: { reason: "shutdown" },
      });
      await stopping;
      expect(troupe.seen()).toEqual(["a up 0", "a down 110"]);
      await advance(20_000);
    }));

  it("an empty tree runs", () =>
    simulated(async () => {
      await using app = await startSupervisor({ strategy: "one_for_all", children: {} });
      expect(await app.call.countChildren()).toMatchObject({ specs: 0, active: 0 });
    }));
});

describe("a child", () => {
  it("O24, R27: that ignores the stop is killed after its time, and the stop goes on", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), stubborn: troupe.actor("stubborn", { shutdown: 300 }) },
      });
      app.children.stubborn.cast.haunt(1_000);
      await advance(10);
      troupe.seen();
      await app.stop("shutdown");
      expect(troupe.seen()).toEqual(["a down 310"]);
      expect(logged.splice(0)).toEqual([`stubborn of ${app.pid} did not stop in order: killed`]);
      await advance(1_000);
      expect(troupe.seen()).toEqual(["stubborn laid 1000"]);
    }));

  it("O24: whose terminate crashes is reported, and the stop goes on", () =>
    simulated(async () => {
      const troupe = new Troupe();
      class Broken extends Process {
        protected override terminate(): void {
          throw boom;
        }
      }
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), broken: child(Broken) },
      });
      await app.stop("shutdown");
      expect(troupe.seen()).toEqual(["a up 0", "a down 0"]);
      expect(logged.splice(0)).toEqual([
        `broken of ${app.pid} did not stop in order: crash: Error: boom`,
      ]);
    }));

  it('O24: with `shutdown: "kill"` is killed at once, which is no news', () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { shutdown: "kill" }) },
      });
      app.children.a.cast.haunt(100);
      await advance(10);
      await app.stop("shutdown");
      expect(nowMs()).toBe(10);
      expect(logged).toEqual([]);
      await advance(1_000);
    }));

  it("is reached by its id across restarts; while it is down, casts are dropped and calls reject", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a") },
      });
      const { a } = app.children;
      const first = await a.call.pid();
      troupe.script("a").initMs = 50;
      a.cast.crash();
      await advance(10);
      const { dropped } = currentSystem().get(processes);
      a.cast.pid();
      await expect(a.call.pid()).rejects.toMatchObject({
        code: "SLUICE_NO_PROCESS",
        retryable: true,
        details: { target: `the child a of ${app.pid}` },
      });
      expect(currentSystem().get(processes).dropped).toBe(dropped + 1);
      await advance(100);
      await quiet();
      const second = await a.call.pid();
      expect([first.split("#")[0], second.split("#")[0], first === second]).toEqual([
        "a",
        "a",
        false,
      ]);
    }));

  it("gets the same arguments, and its name, in each incarnation", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      const named = name<Actor>("named");
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { name: named }) },
      });
      const first = await named.call.pid();
      named.cast.crash();
      await quiet();
      expect(await named.call.pid()).not.toBe(first);
      expect(troupe.seen()).toEqual(["a up 0", "a up 0"]);
    }));

  it.each([
    ["normal", true],
    ["shutdown", true],
    [{ shutdown: "done" }, true],
    ["killed", false],
    ["noproc", false],
    [{ crash: boom }, false],
  ] as const)(
    "O5: that ends for %o: orderly is %s; all else is reported, and restarted",
    (reason, orderly) =>
      simulated(async ({ quiet }) => {
        const troupe = new Troupe();
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: { a: troupe.actor("a", { restart: "transient" }) },
        });
        app.children.a.cast.leave(reason);
        await quiet();
        expect(await app.call.countChildren()).toMatchObject({
          active: orderly ? 0 : 1,
          restarts: orderly ? 0 : 1,
        });
        expect(logged.splice(0)).toHaveLength(orderly ? 0 : 1);
      }),
  );

  it("may be a function: it runs once, beside its siblings", () =>
    simulated(async ({ quiet }) => {
      const lines: string[] = [];
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          once: task(async ({ signal }) => {
            await sleep(1, signal);
            lines.push("ran");
          }),
        },
      });
      await quiet();
      await sleep(5);
      expect(lines).toEqual(["ran"]);
      expect(await app.call.whichChildren()).toMatchObject([
        { id: "once", pid: undefined, state: "stopped" },
      ]);
    }));
});

describe("the messages of a supervisor", () => {
  it("O26: terminateChild stops one, which stays down; restartChild starts it again", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), b: troupe.actor("b") },
      });
      await app.call.terminateChild("a");
      await app.call.terminateChild("a");
      await quiet();
      expect(await app.call.countChildren()).toMatchObject({ specs: 2, active: 1 });
      await app.call.restartChild("a");
      await app.call.restartChild("b");
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "a down 0", "a up 0"]);
      const which = await app.call.whichChildren();
      expect(which.map(({ id }) => id)).toEqual(["a", "b"]);
    }));

  it("of an unknown id are refused, and the supervisor goes on", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a") },
      });
      for (const message of ["restartChild", "terminateChild"] as const) {
        await expect(app.call[message]("b" as "a")).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "id", got: '"b"', expected: "one of a" },
        });
        app.cast[message]("b" as "a");
      }
      expect(await app.call.countChildren()).toMatchObject({ specs: 1, active: 1 });
      expect(logged.splice(0)).toHaveLength(2);
    }));

  it("O26: restartChild of one that fails to start rejects, and the supervisor goes on", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a"), b: troupe.actor("b") },
      });
      await app.call.terminateChild("b");
      troupe.script("b").failing = 1;
      await expect(app.call.restartChild("b")).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        details: { child: "b" },
      });
      expect(await app.call.whichChildren()).toMatchObject([
        { id: "a" },
        { id: "b", pid: undefined },
      ]);
      await app.call.restartChild("b");
      expect(await app.call.countChildren()).toMatchObject({ specs: 2, active: 2 });
    }));

  it("do not include its engine's", () =>
    simulated(async () => {
      await using app = await startSupervisor({ strategy: "one_for_one", children: {} });
      expect(Object.keys(app.cast).toSorted()).toEqual([
        "countChildren",
        "restartChild",
        "terminateChild",
        "whichChildren",
      ]);
    }));
});
