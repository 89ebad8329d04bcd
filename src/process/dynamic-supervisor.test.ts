import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  child,
  dynamicSupervisor,
  name,
  names,
  sleep,
  startDynamicSupervisor,
  startSupervisor,
  stop,
  supervisor,
  task,
  type DynamicSupervisor,
  type Ref,
} from "./index.ts";
import { Actor, Troupe, boom } from "../../test/process/troupe.ts";

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

describe("startChild", () => {
  it("O27: of a supervisor that starts empty gives a typed ref when the child is up", () =>
    simulated(async () => {
      const troupe = new Troupe();
      troupe.script("a").initMs = 10;
      await using app = await startDynamicSupervisor();
      expect(await app.call.whichChildren()).toEqual([]);
      const a = await app.call.startChild(troupe.actor("a"));
      expectTypeOf(a).toEqualTypeOf<Ref<Actor>>();
      expect(troupe.seen()).toEqual(["a up 10"]);
      expect(await a.call.pid()).toBe(a.pid);
      expect(await app.call.whichChildren()).toEqual([
        {
          id: "Actor",
          pid: a.pid,
          state: "running",
          restarts: 0,
          restartInMs: undefined,
          type: "worker",
          mailbox: 0,
        },
      ]);
    }));

  it("O27: has no ids: one spec may be used again and again", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor();
      const spec = troupe.actor("a");
      const refs = await Promise.all([1, 2, 3].map(() => app.call.startChild(spec)));
      expect(new Set(refs.map(({ pid }) => pid)).size).toBe(3);
      const inner = supervisor({ strategy: "one_for_one", children: { b: troupe.actor("b") } });
      await app.call.startChild(inner);
      expect(await app.call.countChildren()).toEqual({
        specs: 4,
        active: 4,
        supervisors: 1,
        workers: 3,
        restarts: 0,
      });
    }));

  it("of a slow child holds nobody up", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      troupe.script("slow").initMs = 1_000;
      await using app = await startDynamicSupervisor();
      const slow = app.call.startChild(troupe.actor("slow"));
      await app.call.startChild(troupe.actor("quick"));
      expect(nowMs()).toBe(0);
      expect((await app.call.whichChildren()).map(({ state }) => state)).toEqual([
        "starting",
        "running",
      ]);
      await advance(1_000);
      await slow;
    }));

  it("O27: beyond maxChildren rejects SLUICE_CHILDREN_FULL until one is gone; those that wait count", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor({ maxChildren: 2 });
      const a = await app.call.startChild(troupe.actor("a"));
      const b = await app.call.startChild(troupe.actor("b", { restartDelayMs: 1_000 }));
      b.cast.crash();
      await quiet();
      const refused = { code: "SLUICE_CHILDREN_FULL", details: { pid: app.pid, limit: 2 } };
      await expect(app.call.startChild(troupe.actor("c"))).rejects.toMatchObject(refused);
      await app.call.terminateChild(a);
      await app.call.startChild(troupe.actor("c"));
      await expect(app.call.startChild(troupe.actor("d"))).rejects.toMatchObject(refused);
      await app.call.terminateChild(b);
      await app.call.startChild(troupe.actor("d"));
      expect(await app.call.countChildren()).toMatchObject({ specs: 2, active: 2 });
    }));

  it("that fails rejects, is no restart, and leaves nothing", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor({ maxChildren: 1, maxRestarts: 0 });
      const script = troupe.script("a");
      script.failing = 2;
      for (let n = 0; n < 2; n++)
        await expect(app.call.startChild(troupe.actor("a"))).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          details: { child: "Actor", reason: { crash: boom } },
          cause: boom,
        });
      const taken = name<Actor>("taken");
      await app.call.startChild(troupe.actor("a", { name: taken }));
      await stop(taken, "normal");
      expect(script.starts).toBe(3);
    }));

  it("under a name that is taken rejects SLUICE_ALREADY_REGISTERED, and leaves nothing", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor({ maxChildren: 2 });
      const users = names<Actor>("user");
      const ann = await app.call.startChild(troupe.actor("ann", { name: users("ann") }));
      await expect(
        app.call.startChild(troupe.actor("ann", { name: users("ann") })),
      ).rejects.toMatchObject({
        code: "SLUICE_ALREADY_REGISTERED",
        details: { holder: { pid: ann.pid } },
      });
      await app.call.startChild(troupe.actor("bob", { name: users("bob") }));
    }));

  it("of what is no child is refused, and the supervisor goes on", () =>
    simulated(async () => {
      await using app = await startDynamicSupervisor();
      for (const spec of [undefined, {}, child]) {
        await expect(app.call.startChild(spec as never)).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "spec" },
        });
      }
      await expect(
        app.call.startChild(task(() => {}, { significant: true })),
      ).rejects.toMatchObject({ details: { option: "spec: significant" } });
    }));

  it("that is under way when the supervisor stops rejects", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      troupe.script("slow").initMs = 1_000;
      const app = await startDynamicSupervisor();
      const slow = app.call.startChild(troupe.actor("slow"));
      const stopped = advance(10).then(() => app.stop("shutdown"));
      await expect(slow).rejects.toMatchObject({ code: "SLUICE_START_FAILED" });
      await stopped;
      expect(troupe.seen()).toEqual([]);
    }));
});

describe("a child of a dynamic supervisor", () => {
  it("O27: is restarted with the same spec under a new pid, and under its name", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor();
      const ann = name<Actor>("ann");
      const first = await app.call.startChild(troupe.actor("ann", { name: ann }));
      first.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["ann up 0", "ann up 0"]);
      expect(await ann.call.pid()).not.toBe(first.pid);
      expect(await app.call.whichChildren()).toMatchObject([{ id: "ann", restarts: 1 }]);
    }));

  it("O20, O28: is kept, restarted or forgotten as its restart says; a task is temporary", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor({ maxRestarts: 10 });
      const left = async (): Promise<number> => (await app.call.countChildren()).specs;
      for (const [restart, crash, leave] of [
        ["permanent", 1, 1],
        ["transient", 1, 0],
        ["temporary", 0, 0],
      ] as const) {
        const ends = [];
        for (const end of ["crash", "leave"] as const) {
          const ref = await app.call.startChild(troupe.actor("x", { restart }));
          ref.cast[end]();
          await quiet();
          ends.push(await left());
          for (const { pid } of await app.call.whichChildren()) await app.call.terminateChild(pid!);
        }
        expect(ends).toEqual([crash, leave]);
      }
      let ran = 0;
      await app.call.startChild(
        task(async ({ signal }) => {
          await sleep(10, signal);
          ran++;
          throw boom;
        }),
      );
      await advance(100);
      expect([ran, await left()]).toEqual([1, 0]);
    }));

  it("O23: whose restart fails is tried again, each try counting; others go on meanwhile", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startDynamicSupervisor({ maxRestarts: 4 });
      const a = await app.call.startChild(troupe.actor("a"));
      const script = troupe.script("a");
      script.failing = 3;
      script.initMs = 10;
      a.cast.crash();
      await advance(100);
      expect(script.starts).toBe(5);
      expect(await app.call.countChildren()).toMatchObject({ active: 1, restarts: 4 });
      await app.stop();
    }));

  it("O22: that crashes too often ends the supervisor and all its children", () =>
    simulated(async () => {
      const troupe = new Troupe();
      const app = await startDynamicSupervisor({ maxRestarts: 2, maxSeconds: 1 });
      const a = await app.call.startChild(troupe.actor("a"));
      await app.call.startChild(troupe.actor("b"));
      troupe.script("a").failing = Infinity;
      a.cast.crash();
      expect(await app.exited).toMatchObject({
        shutdown: {
          code: "SLUICE_RESTART_INTENSITY",
          details: { supervisor: app.pid, restarts: 2, seconds: 1 },
        },
      });
      expect(troupe.script("a").starts).toBe(3);
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "b down 0"]);
    }));

  it("that is exclusive waits for the callback of its killed incarnation, and for its delay", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor();
      const exclusive = { exclusive: true, shutdown: 50, restartDelayMs: 100 } as const;
      const a = await app.call.startChild(troupe.actor("a", exclusive));
      troupe.seen();
      a.cast.haunt(500);
      await advance(10);
      await stop(a);
      await advance(20);
      expect(await app.call.whichChildren()).toMatchObject([
        { state: "restarting", restartInMs: 80 },
      ]);
      await advance(200);
      expect(await app.call.whichChildren()).toMatchObject([
        { state: "restarting", restartInMs: undefined },
      ]);
      await advance(1_000);
      expect(troupe.seen()).toEqual(["a haunts 0", "a laid 500", "a up 500"]);
    }));
});

describe("terminateChild", () => {
  it("O27: stops a running child by its ref, an earlier one, its pid or its name, and forgets it", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor();
      const ann = name<Actor>("ann");
      for (const by of ["ref", "earlier", "pid", "name"]) {
        const ref = await app.call.startChild(troupe.actor("ann", { name: ann }));
        if (by === "earlier") ref.cast.crash();
        await quiet();
        await app.call.terminateChild(by === "pid" ? ref.pid : by === "name" ? ann : ref);
        expect([by, ann.whereis()]).toEqual([by, undefined]);
        expect(await app.call.countChildren()).toMatchObject({ specs: 0 });
        expect(troupe.seen().at(-1)).toBe("ann down 0");
      }
    }));

  it("of a child that waits for a restart, or starts, is the end of it", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      await using app = await startDynamicSupervisor();
      const a = await app.call.startChild(troupe.actor("a", { restartDelayMs: 100 }));
      a.cast.crash();
      await quiet();
      await app.call.terminateChild(a);
      troupe.script("b").initMs = 100;
      const starting = app.call.startChild(troupe.actor("b"));
      const [b] = await app.call.whichChildren();
      const ended = app.call.terminateChild(b!.pid!);
      await expect(starting).rejects.toMatchObject({ code: "SLUICE_START_FAILED" });
      await ended;
      await advance(1_000);
      expect(await app.call.countChildren()).toMatchObject({ specs: 0 });
      expect([troupe.script("a").starts, currentSystem().wheel.size]).toEqual([1, 0]);
    }));

  it("of one that is gone, twice, or by two at once, resolves; of a stranger it is refused", () =>
    simulated(async () => {
      const troupe = new Troupe();
      troupe.script("a").terminateMs = 50;
      await using app = await startDynamicSupervisor({ maxChildren: 1 });
      await using other = await startDynamicSupervisor();
      const a = await app.call.startChild(troupe.actor("a"));
      await Promise.all([app.call.terminateChild(a), app.call.terminateChild(a)]);
      expect(nowMs()).toBe(50);
      await app.call.terminateChild(a);
      await app.call.terminateChild(a.pid);
      await app.call.terminateChild(name<Actor>("nobody"));
      const b = await other.call.startChild(troupe.actor("b"));
      await expect(app.call.terminateChild(b)).rejects.toMatchObject({
        code: "SLUICE_INVALID_OPTION",
        details: { option: "target", got: JSON.stringify(b.pid) },
      });
      await app.call.startChild(troupe.actor("a"));
      expect(await app.call.countChildren()).toMatchObject({ specs: 1 });
    }));
});

describe("the stop of a dynamic supervisor", () => {
  it("O27: tells all children at once, and kills those that do not end in time", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startDynamicSupervisor();
      for (const [id, ms] of [
        ["a", 100],
        ["b", 50],
        ["c", 10],
      ] as const) {
        troupe.script(id).terminateMs = ms;
        await app.call.startChild(troupe.actor(id));
      }
      const stubborn = await app.call.startChild(troupe.actor("d", { shutdown: 70 }));
      stubborn.cast.haunt(1_000);
      await advance(1);
      troupe.seen();
      await app.stop("shutdown");
      expect([nowMs(), troupe.seen()]).toEqual([101, ["c down 11", "b down 51", "a down 101"]]);
      expect(logged.splice(0)).toEqual([`Actor of ${app.pid} did not stop in order: killed`]);
      await advance(1_000);
    }));

  it("is one of its tree, where it has its place and its limits", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      const sessions = name<DynamicSupervisor>("sessions");
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { sessions: dynamicSupervisor({ name: sessions, maxRestarts: 0 }) },
      });
      const a = await sessions.call.startChild(troupe.actor("a"));
      a.cast.crash();
      await quiet();
      // Started again, it is empty.
      expect(await sessions.call.countChildren()).toMatchObject({ specs: 0 });
      expect(await app.call.whichChildren()).toMatchObject([
        { id: "sessions", restarts: 1, type: "supervisor" },
      ]);
    }));

  it("refuses options that are none", () => {
    expect(() => dynamicSupervisor({ maxChildren: -1 })).toThrow("maxChildren: got -1");
    expect(() => dynamicSupervisor({ maxRestarts: 0.5 })).toThrow("maxRestarts: got 0.5");
    expect(() => dynamicSupervisor({ children: {} } as object)).toThrow(
      "dynamicSupervisor: children: got {}",
    );
  });
});
