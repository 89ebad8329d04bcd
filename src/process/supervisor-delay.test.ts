import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { child, name, startSupervisor, stop, supervisor } from "./index.ts";
import { Actor, Troupe } from "../../test/process/troupe.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let listener: Disposable;
beforeEach(() => void (listener = attach("sluice.log", () => {})));
afterEach(() => listener[Symbol.dispose]());

const timers = (): number => currentSystem().wheel.size;

describe("a restart with a delay", () => {
  it("waits for it, seen as data, while siblings and the supervisor go on", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { restartDelayMs: 100 }), b: troupe.actor("b") },
      });
      troupe.seen();
      app.children.a.cast.crash();
      await advance(40);
      expect((await app.call.whichChildren())[0]).toEqual({
        id: "a",
        pid: undefined,
        state: "restarting",
        restarts: 0,
        restartInMs: 60,
        type: "worker",
        mailbox: 0,
      });
      expect(await app.call.countChildren()).toEqual({
        specs: 2,
        active: 1,
        supervisors: 0,
        workers: 2,
        restarts: 0,
      });
      app.children.b.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["b up 40"]);
      await advance(60);
      await quiet();
      expect(troupe.seen()).toEqual(["a up 100"]);
      expect((await app.call.whichChildren())[0]).toMatchObject({
        pid: await app.children.a.call.pid(),
        state: "running",
        restarts: 1,
        restartInMs: undefined,
      });
    }));

  it("grows with each in a row, failed starts included, and begins again after a good life", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 100,
        children: { a: troupe.actor("a", { restartDelayMs: { firstMs: 10, maxMs: 1_000 } }) },
      });
      troupe.seen();
      troupe.script("a").failing = 3;
      app.children.a.cast.crash();
      await advance(10 + 20 + 40 + 80);
      await advance(1);
      expect(troupe.seen()).toEqual(["a up 150"]);
      await advance(1_000);
      app.children.a.cast.crash();
      await advance(11);
      expect(troupe.seen()).toEqual(["a up 1161"]);
    }));

  it("O22: counts towards the intensity at the end that made it necessary", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 1,
        maxSeconds: 1,
        children: { a: troupe.actor("a", { restartDelayMs: 990 }) },
      });
      app.children.a.cast.crash();
      await advance(995);
      app.children.a.cast.crash();
      await quiet();
      expect(await app.exited).toMatchObject({ shutdown: { code: "SLUICE_RESTART_INTENSITY" } });
      const slow = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 1,
        maxSeconds: 1,
        children: { a: troupe.actor("a", { restartDelayMs: 1_001 }) },
      });
      for (let n = 0; n < 10; n++) {
        slow.children.a.cast.crash();
        await advance(1_002);
      }
      expect(await slow.call.countChildren()).toMatchObject({ active: 1, restarts: 10 });
      await slow.stop();
    }));

  it("O21: takes its group along: stopped at once, started in order when the time has come", () =>
    simulated(async ({ advance, quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          a: troupe.actor("a"),
          b: troupe.actor("b", { restartDelayMs: 50 }),
          c: troupe.actor("c"),
        },
      });
      troupe.seen();
      app.children.b.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["c down 0"]);
      await advance(20);
      // A crash before it in line starts the whole rest at once.
      app.children.a.cast.crash();
      await advance(100);
      expect(troupe.seen()).toEqual(["a up 20", "b up 20", "c up 20"]);
      expect(timers()).toBe(0);
    }));

  it("ends with a stop of the supervisor, with its kill, and with terminateChild", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const start = async () => {
        const app = await startSupervisor({
          strategy: "one_for_all",
          children: { a: troupe.actor("a", { restartDelayMs: 5_000 }), b: troupe.actor("b") },
        });
        app.children.a.cast.crash();
        await advance(10);
        expect(timers()).toBe(1);
        return app;
      };
      await (await start()).stop("shutdown");
      expect(timers()).toBe(0);
      await (await start()).stop("shutdown", { timeoutMs: 0 });
      expect(timers()).toBe(0);
      const app = await start();
      await app.call.terminateChild("a");
      await app.call.terminateChild("b");
      expect(timers()).toBe(0);
      await app.stop();
    }));

  it("is cut short by restartChild", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", { restartDelayMs: 5_000 }) },
      });
      troupe.seen();
      app.children.a.cast.crash();
      await advance(10);
      await app.call.restartChild("a");
      await advance(10_000);
      expect(troupe.seen()).toEqual(["a up 10"]);
    }));

  it("refuses what is no delay", () => {
    expect(() => child(Actor, { args: [new Troupe().script("a")], restartDelayMs: -1 })).toThrow(
      "restartDelayMs: got -1, expected milliseconds, 0 or more",
    );
  });
});

describe("an exclusive child", () => {
  const exclusive = { exclusive: true, shutdown: 50 } as const;

  it("waits for the callback of its last incarnation also when its supervisor was started again", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const a = name<Actor>("a");
      await using app = await startSupervisor({
        strategy: "one_for_all",
        children: {
          inner: supervisor({
            strategy: "one_for_one",
            children: {
              innermost: supervisor({
                strategy: "one_for_one",
                children: {
                  a: troupe.actor("a", { ...exclusive, name: a }),
                  b: troupe.actor("b"),
                },
              }),
            },
          }),
          c: troupe.actor("c"),
        },
      });
      a.cast.haunt(500);
      await advance(10);
      troupe.seen();
      app.children.c.cast.crash();
      await advance(100);
      // Its supervisors and its sibling are up; it comes when the zombie is laid.
      expect(troupe.seen()).toEqual(["b down 10", "b up 60", "c up 60"]);
      expect(a.whereis()).toBeUndefined();
      await advance(500);
      expect(troupe.seen()).toEqual(["a laid 500", "a up 500"]);
    }));

  it("under rest_for_one and one_for_all its group waits with it", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_all",
        children: {
          inner: supervisor({
            strategy: "rest_for_one",
            children: {
              a: troupe.actor("a", { ...exclusive, name: name<Actor>("a") }),
              b: troupe.actor("b"),
            },
          }),
          c: troupe.actor("c"),
        },
      });
      name<Actor>("a").cast.haunt(500);
      await advance(10);
      troupe.seen();
      app.children.c.cast.crash();
      await advance(1_000);
      expect(troupe.seen()).toEqual(["b down 10", "c up 60", "a laid 500", "a up 500", "b up 500"]);
    }));

  it("restartChild rejects while that callback runs, and does not start it later", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", exclusive) },
      });
      const pid = await app.children.a.call.pid();
      app.children.a.cast.haunt(500);
      await advance(10);
      await app.call.terminateChild("a");
      await expect(app.call.restartChild("a")).rejects.toMatchObject({
        code: "SLUICE_ZOMBIE",
        retryable: true,
        details: { child: "a", zombie: pid },
      });
      await advance(1_000);
      expect(troupe.script("a").starts).toBe(1);
      await app.call.restartChild("a");
      expect(troupe.script("a").starts).toBe(2);
    }));

  it("restartChild rejects while it waits for it by itself, and it comes all the same", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: troupe.actor("a", exclusive) },
      });
      app.children.a.cast.haunt(500);
      await advance(10);
      await stop(app.children.a);
      await expect(app.call.restartChild("a")).rejects.toMatchObject({ code: "SLUICE_ZOMBIE" });
      await advance(1_000);
      expect(troupe.script("a").starts).toBe(2);
    }));
});

describe("a supervisor as a child", () => {
  it("O18, O25: takes restart, significant and shutdown, and can hand its end on", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      const a = name<Actor>("a");
      const app = await startSupervisor({
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        children: {
          inner: supervisor(
            {
              strategy: "one_for_one",
              autoShutdown: "any_significant",
              children: {
                a: troupe.actor("a", { name: a, restart: "transient", significant: true }),
              },
            },
            { restart: "transient", significant: true, shutdown: 1_000 },
          ),
          b: troupe.actor("b"),
        },
      });
      expect(await app.call.countChildren()).toMatchObject({ supervisors: 1, workers: 1 });
      expect((await app.call.whichChildren())[0]).toMatchObject({ type: "supervisor" });
      a.cast.leave();
      await quiet();
      expect(await app.exited).toBe("shutdown");
      expect(() =>
        supervisor({ strategy: "one_for_one", children: {} }, { exclusive: true } as object),
      ).toThrow("supervisor: exclusive: got true");
    }));
});
