import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  Process,
  child,
  info,
  names,
  start,
  startSupervisor,
  supervisor,
  type Running,
  type SupervisorOptions,
} from "./index.ts";
import { cellOf, processes } from "./internal.ts";
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

describe("a tree", () => {
  const tree = (troupe: Troupe) => ({
    a: troupe.actor("a"),
    inner: supervisor({
      strategy: "one_for_all",
      maxRestarts: 1,
      children: { b: troupe.actor("b", { name: names<Actor>("tree")("b") }), c: troupe.actor("c") },
    }),
    d: troupe.actor("d"),
  });
  const b = names<Actor>("tree")("b");

  it("O19: starts depth first and stops in reverse", () =>
    simulated(async () => {
      const troupe = new Troupe();
      const app = await startSupervisor({ strategy: "one_for_one", children: tree(troupe) });
      expect(troupe.seen()).toEqual(["a up 0", "b up 0", "c up 0", "d up 0"]);
      expect(await app.children.inner.call.countChildren()).toMatchObject({ specs: 2, active: 2 });
      await app.stop("shutdown");
      expect(troupe.seen()).toEqual(["d down 0", "c down 0", "b down 0", "a down 0"]);
    }));

  it("R24: a supervisor that gives up is restarted by its own, once", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      await using app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 1,
        children: tree(troupe),
      });
      troupe.seen();
      b.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["c down 0", "b up 0", "c up 0"]);
      b.cast.crash();
      await quiet();
      expect(troupe.seen()).toEqual(["c down 0", "b up 0", "c up 0"]);
      expect(await app.call.countChildren()).toMatchObject({ specs: 3, active: 3 });
      logged.length = 0;
    }));

  it("O8: a supervisor that is killed takes all below it with it", () =>
    simulated(async ({ quiet }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({ strategy: "one_for_one", children: tree(troupe) });
      app["~resolve"]();
      await app.stop("shutdown", { timeoutMs: 0 });
      await quiet();
      expect([...currentSystem().get(processes)]).toEqual([]);
      logged.length = 0;
    }));

  it("is killed to its last process when the owner's patience ends, however deep one hangs", () =>
    simulated(async ({ advance }) => {
      const troupe = new Troupe();
      const app = await startSupervisor({ strategy: "one_for_one", children: tree(troupe) });
      b.cast.haunt(100_000);
      troupe.script("d").terminateMs = 200;
      await advance(10);
      await app.stop("shutdown", { timeoutMs: 1_000 });
      expect(await app.exited).toBe("killed");
      await advance(0);
      expect([...currentSystem().get(processes)]).toEqual([]);
      expect(nowMs()).toBe(1_010);
      await advance(200_000);
      logged.length = 0;
    }));

  it("O6: a link to a supervisor does not end it", () =>
    simulated(async ({ quiet }) => {
      class Linked extends Process {
        link(to: Running<unknown>): void {
          this.self.link(to);
        }
        crash(): void {
          throw boom;
        }
      }
      const troupe = new Troupe();
      const app = await startSupervisor({ strategy: "one_for_one", children: tree(troupe) });
      const first = await start(Linked);
      await first.call.link(app);
      first.cast.crash();
      await quiet();
      expect(await app.call.countChildren()).toMatchObject({ active: 3 });
      const second = await start(Linked);
      await second.call.link(app);
      await app.stop("shutdown");
      expect(await second.exited).toBe("shutdown");
      logged.length = 0;
    }));

  it("an info to a supervisor is logged and dropped", () =>
    simulated(async () => {
      await using app = await startSupervisor({ strategy: "one_for_one", children: {} });
      info(app, "hello");
      expect(await app.call.countChildren()).toMatchObject({ specs: 0, active: 0 });
      expect(logged.splice(0)).toEqual([`${app.pid} got an info and has no handleInfo`]);
    }));

  it("R27: leaves nothing: neither a child of an ended incarnation nor a timer", () =>
    simulated(async ({ quiet }) => {
      class Inside extends Actor {
        children(): number {
          return cellOf(this).parent?.children?.size ?? 0;
        }
      }
      const script = new Script("x", []);
      await using app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 100,
        children: { x: child(Inside, { args: [script] }) },
      });
      for (let n = 0; n < 10; n++) {
        app.children.x.cast.crash();
        await quiet();
      }
      expect(await app.children.x.call.children()).toBe(1);
      logged.length = 0;
    }));
});

describe("options of a supervisor", () => {
  const ok = { strategy: "one_for_one", children: {} } as const;
  const significant = child(Process as never, { restart: "transient", significant: true } as never);
  const refused: readonly [string, object][] = [
    ["options", undefined as never],
    ["supervisor: maxRestart", { ...ok, maxRestart: 3 }],
    ["strategy", { ...ok, strategy: "all_for_one" }],
    ["strategy", { children: {} }],
    ["maxRestarts", { ...ok, maxRestarts: -1 }],
    ["maxRestarts", { ...ok, maxRestarts: Infinity }],
    ["maxSeconds", { ...ok, maxSeconds: 0 }],
    ["autoShutdown", { ...ok, autoShutdown: "always" }],
    ["name", { ...ok, name: "tree" }],
    ["children", { ...ok, children: undefined }],
    ["children", { ...ok, children: [] }],
    ["children: 1", { ...ok, children: { 1: child(Actor, { args: [new Script("x", [])] }) } }],
    ["children: a", { ...ok, children: { a: Actor } }],
    ["children: a: significant", { ...ok, children: { a: significant } }],
  ];
  it.each(refused)("refuses %s of %o", (option, options) => {
    expect(() => supervisor(options as SupervisorOptions<{}>)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        details: expect.objectContaining({ option }) as object,
      }),
    );
  });

  it("are refused as a rejection by startSupervisor", async () => {
    const starting = startSupervisor({ ...ok, maxRestarts: -1 });
    await expect(starting).rejects.toMatchObject({ code: "SLUICE_INVALID_OPTION" });
  });
});
