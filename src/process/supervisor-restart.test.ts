import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { startSupervisor, stop } from "./index.ts";
import { Troupe, boom } from "../../test/process/troupe.ts";

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

describe("a restart", () => {
  it("O23: that fails is tried again, each try counting; other ends are heard between two tries", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 10,
        children: { a: troupe.actor("a"), b: troupe.actor("b") },
      });
      troupe.seen();
      const a = troupe.script("a");
      a.failing = 3;
      a.initMs = 10;
      app.children.a.cast.crash();
      app.children.b.cast.crash();
      await advance(1);
      await advance(100);
      expect(a.starts).toBe(5);
      // b did not wait for a: between two tries of it.
      expect(troupe.seen().map((line) => line.split(" ")[0])).toEqual(["b", "a"]);
      logged.length = 0;
    }));

  it("O23, R25: that always fails ends the supervisor at its limit", () =>
    simulated(async () => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 5,
        children: { a: troupe.actor("a"), b: troupe.actor("b") },
      });
      troupe.script("b").failing = Infinity;
      app.children.b.cast.crash();
      expect(await app.exited).toMatchObject({
        shutdown: {
          code: "SLUICE_RESTART_INTENSITY",
          details: { supervisor: app.pid, restarts: 5, seconds: 5 },
        },
      });
      expect(troupe.script("b").starts).toBe(1 + 5);
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "a down 0"]);
      logged.length = 0;
    }));

  it("O21: of a group goes on where it failed, under rest_for_one", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        maxRestarts: 10,
        children: {
          a: troupe.actor("a"),
          b: troupe.actor("b"),
          c: troupe.actor("c"),
          d: troupe.actor("d"),
        },
      });
      troupe.seen();
      troupe.script("c").failing = 2;
      app.children.b.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["d down 0", "c down 0", "b up 0", "c up 0", "d up 0"]);
    }));

  it("O21: of a group begins again with all, under one_for_all", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_all",
        maxRestarts: 10,
        children: { a: troupe.actor("a"), b: troupe.actor("b"), c: troupe.actor("c") },
      });
      troupe.seen();
      troupe.script("b").failing = 1;
      app.children.c.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual([
        "b down 0",
        "a down 0",
        "a up 0",
        "a down 0",
        "a up 0",
        "b up 0",
        "c up 0",
      ]);
    }));

  it('shows as "restarting" while it waits for another try', () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        maxRestarts: 100,
        children: { a: troupe.actor("a"), b: troupe.actor("b"), c: troupe.actor("c") },
      });
      const script = troupe.script("b");
      script.failing = 1;
      script.initMs = 10;
      app.children.a.cast.crash();
      await advance(1);
      const which = await app.call.whichChildren();
      expect(which.map(({ id, state }) => [id, state === "restarting"])).toEqual([
        ["a", false],
        ["b", true],
        ["c", true],
      ]);
      await advance(50);
      expect(await app.call.countChildren()).toMatchObject({ specs: 3, active: 3 });
    }));

  it("is told by telemetry, with the reason", () =>
    simulated(async ({ quiet }) => {
      const events: unknown[] = [];
      using _events = attach("sluice.supervisor.restarted", (event) => events.push(event));
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a") },
      });
      app.children.a.cast.crash();
      await quiet();
      expect(events).toEqual([{ supervisor: app.pid, child: "a", reason: { crash: boom } }]);
    }));

  it("of an exclusive child waits until the callback of the killed incarnation has ended; siblings go on", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { exclusive: true, shutdown: 50 }), b: troupe.actor("b") },
      });
      troupe.seen();
      app.children.a.cast.haunt(500);
      await advance(10);
      await stop(app.children.a);
      await advance(10);
      expect((await app.call.whichChildren())[0]).toMatchObject({
        id: "a",
        pid: undefined,
        state: "restarting",
      });
      app.children.b.cast.crash();
      await advance(1_000);
      expect(troupe.seen()).toEqual(["a haunts 0", "b up 70", "a laid 500", "a up 500"]);
      logged.length = 0;
    }));

  it("of a group waits for the zombies of all its exclusive children, then starts in order", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_all",
        children: {
          a: troupe.actor("a"),
          b: troupe.actor("b", { exclusive: true, shutdown: 50 }),
          c: troupe.actor("c", { exclusive: true, shutdown: 50 }),
        },
      });
      troupe.seen();
      app.children.b.cast.haunt(300);
      app.children.c.cast.haunt(500);
      await advance(10);
      app.children.a.cast.crash();
      await advance(1_000);
      expect(troupe.seen().slice(2)).toEqual([
        "b laid 300",
        "c laid 500",
        "a up 500",
        "b up 500",
        "c up 500",
      ]);
      logged.length = 0;
    }));

  it("is void when the supervisor is to stop before it has begun", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      troupe.script("b").terminateMs = 100;
      const app = await startSupervisor({
        strategy: "one_for_all",
        children: { a: troupe.actor("a"), b: troupe.actor("b") },
      });
      app.children.a.cast.crash();
      await advance(10);
      await app.stop("shutdown");
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "b down 100"]);
    }));

  it("that waits for a zombie, or for another try, is void for a child that is terminated meanwhile", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 100,
        children: {
          a: troupe.actor("a", { exclusive: true, shutdown: 50 }),
          b: troupe.actor("b"),
        },
      });
      app.children.a.cast.haunt(500);
      await advance(10);
      await stop(app.children.a);
      const script = troupe.script("b");
      script.failing = Infinity;
      script.initMs = 10;
      app.children.b.cast.crash();
      await advance(15);
      await Promise.all([app.call.terminateChild("a"), app.call.terminateChild("b")]);
      const { starts } = script;
      await advance(1_000);
      expect([troupe.script("a").starts, script.starts]).toEqual([1, starts]);
      const ends = [
        { id: "a", state: "stopped" },
        { id: "b", state: "stopped" },
      ];
      expect(await app.call.whichChildren()).toMatchObject(ends);
    }));

  it("that waits for a zombie ends with a stop of the supervisor", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { exclusive: true, shutdown: 50 }) },
      });
      app.children.a.cast.haunt(500);
      await advance(10);
      await stop(app.children.a);
      await app.stop("shutdown");
      await advance(1_000);
      expect(troupe.script("a").starts).toBe(1);
    }));
});

describe("auto shutdown", () => {
  const significant = { restart: "transient", significant: true } as const;

  it("O25: any_significant ends the supervisor with the first significant child that ends and stays down", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        children: {
          a: troupe.actor("a", significant),
          b: troupe.actor("b", significant),
          plain: troupe.actor("plain", { restart: "temporary" }),
        },
      });
      app.children.plain.cast.leave();
      await quiet();
      app.children.a.cast.crash();
      await quiet();
      expect(await app.call.countChildren()).toMatchObject({ specs: 3, active: 2 });
      app.children.a.cast.leave();
      expect(await app.exited).toBe("shutdown");
      expect(troupe.seen().slice(-1)).toEqual(["b down 0"]);
    }));

  it("O25: all_significant ends it with the last one; one that is being restarted counts as running", () =>
    simulated(async ({ quiet, advance }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        autoShutdown: "all_significant",
        maxRestarts: 10,
        children: {
          a: troupe.actor("a", significant),
          b: troupe.actor("b", significant),
          c: troupe.actor("c"),
        },
      });
      const script = troupe.script("a");
      script.initMs = 10;
      script.failing = 1;
      app.children.a.cast.crash();
      await advance(1);
      app.children.b.cast.leave();
      await advance(100);
      expect(await app.call.countChildren()).toMatchObject({ specs: 3, active: 2 });
      app.children.a.cast.leave();
      await quiet();
      expect(await app.exited).toBe("shutdown");
    }));

  it("O25: terminateChild of a significant child is no end of it", () =>
    simulated(async () => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        children: { a: troupe.actor("a", significant) },
      });
      await app.call.terminateChild("a");
      expect(await app.call.whichChildren()).toMatchObject([{ id: "a", state: "stopped" }]);
    }));
});
