import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, info, name, sleep, start, stop } from "./index.ts";

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

/** Counts, and answers slowly where asked to. */
class Server extends Process {
  #sum = 0;
  add(n: number): void {
    this.#sum += n;
  }
  sum(): number {
    return this.#sum;
  }
  async slow(token: number, ms: number): Promise<number> {
    await sleep(ms);
    return token;
  }
  crash(): void {
    throw new Error("on purpose");
  }
  protected override handleInfo(n: unknown): void {
    this.#sum += n as number;
  }
}
const server = name<Server>("server");

/** The same as a pure value, with its own clock: when the process will have done all that it was asked. */
class Model {
  alive = true;
  sum = 0;
  nowMs = 0;
  freeMs = 0;

  /** How a call that takes `ms` ends for a caller who waits `timeoutMs`. */
  call(ms: number, timeoutMs: number): "reply" | "timeout" {
    const begun = Math.max(this.nowMs, this.freeMs);
    this.freeMs = begun + ms;
    return this.freeMs - this.nowMs < timeoutMs ? "reply" : "timeout";
  }
}

/** The simulation, and the answers that nobody has looked at yet. */
class Real {
  readonly sim: Simulation;
  readonly open: Promise<void>[] = [];
  tokens = 0;
  constructor(sim: Simulation) {
    this.sim = sim;
  }
}

type Command = fc.AsyncCommand<Model, Real>;
const always = { check: (): boolean => true };
const alive = { check: ({ alive: lives }: Model): boolean => lives };

const add = (n: number): Command => ({
  ...always,
  run: async (model) => {
    if (model.alive) model.sum += n;
    server.cast.add(n);
  },
  toString: () => `cast add(${n})`,
});
const tell = (n: number): Command => ({
  ...always,
  run: async (model) => {
    if (model.alive) model.sum += n;
    info(server, n);
  },
  toString: () => `info ${n}`,
});
/** Waits as long as it takes. */
const ask = (): Command => ({
  ...always,
  run: async (model) => {
    const asked = server.callWith({ timeoutMs: Infinity }).sum();
    if (!model.alive) await expect(asked).rejects.toMatchObject({ code: "SLUICE_NO_PROCESS" });
    else expect(await asked).toBe(model.sum);
    model.nowMs = Math.max(model.nowMs, model.freeMs);
  },
  toString: () => "call sum()",
});
/** Does not wait: the answer is looked at when it comes, while other calls are under way. */
const slow = (ms: number, timeoutMs: number): Command => ({
  ...alive,
  run: async (model, real) => {
    const token = ++real.tokens;
    const asked = server.callWith({ timeoutMs }).slow(token, ms);
    const expected = model.call(ms, timeoutMs);
    const seen = asked.then(
      (got) => expect([got, "reply"]).toEqual([token, expected]),
      (error: unknown) => {
        expect(error).toMatchObject({ code: "SLUICE_TIMEOUT", details: { timeoutMs } });
        expect(expected).toBe("timeout");
      },
    );
    real.open.push(seen);
  },
  toString: () => `call slow(${ms}) within ${timeoutMs}`,
});
const pass = (ms: number): Command => ({
  ...always,
  run: async (model, { sim }) => {
    await sim.advance(ms);
    model.nowMs += ms;
  },
  toString: () => `${ms} ms pass`,
});
/** Between calls: what an end does to those that are open is the subject of other tests. */
const end = (how: "stop" | "crash"): Command => ({
  ...alive,
  run: async (model, real) => {
    const left = Math.max(0, model.freeMs - model.nowMs);
    await real.sim.advance(left);
    model.nowMs += left;
    await Promise.all(real.open.splice(0));
    if (how === "stop") await stop(server, "shutdown");
    else {
      await expect(server.call.crash()).rejects.toMatchObject({
        code: "SLUICE_EXITED",
        details: { reason: { crash: { message: "on purpose" } } },
      });
    }
    expect(server.whereis()).toBeUndefined();
    model.alive = false;
  },
  toString: () => how,
});
const begin = (): Command => ({
  check: (model) => !model.alive,
  run: async (model) => {
    await start(Server, { name: server });
    Object.assign(model, { alive: true, sum: 0, freeMs: model.nowMs });
  },
  toString: () => "start",
});

const n = fc.integer({ min: -9, max: 9 });
const commands = fc.commands(
  [
    n.map(add),
    n.map(tell),
    fc.constant(ask()),
    // Never both at one instant.
    fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 30 }))
      .map(([ms, limit]) => slow(ms * 10, limit * 10 + 5)),
    fc.integer({ min: 0, max: 20 }).map((ms) => pass(ms * 10)),
    fc.constantFrom(end("stop"), end("crash")),
    fc.constant(begin()),
  ],
  { maxCommands: 60, size: "+1" },
);

describe("a process", () => {
  it("R21, O12, O13: does what a pure model of it does: casts, infos, calls, time-outs, ends, starts; a late reply is nobody's", async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(commands, fc.nat(), async (list, seed) => {
        await simulate(
          async (sim) => {
            await start(Server, { name: server });
            const real = new Real(sim);
            const model = new Model();
            await fc.asyncModelRun(() => ({ model, real }), list);
            await sim.advance(Math.max(0, model.freeMs - model.nowMs));
            await Promise.all(real.open);
            ran += [...list].length;
            await stop(server);
          },
          { seeds: [seed] },
        );
      }),
      { numRuns: 300 },
    );
    expect(ran).toBeGreaterThan(1_000);
  });
});
