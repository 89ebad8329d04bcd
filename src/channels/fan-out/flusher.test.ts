// What throws for one socket, or for one topic, is nobody else's; and nobody is kept waiting for those who need not stand in line.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currentSystem, type Runtime } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { Flusher, type Flushable, type OpenRun } from "./flusher.ts";

interface World extends Simulation {
  readonly flusher: Flusher;
  /** What was told to the log. */
  readonly told: readonly string[];
}

function world(body: (world: World) => Promise<void>): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const told: string[] = [];
      using _told = attach("sluice.log", ({ message }) => told.push(message));
      await body({ ...simulation, told, flusher: new Flusher(currentSystem().runtime) });
    },
    { seeds: 1 },
  );
}

function broken(): never {
  throw new Error("broken");
}

describe("Flusher", () => {
  it("of a socket that throws, tells the log, writes the others, and goes on", () =>
    world(async ({ flusher, told, quiet }) => {
      const written: string[] = [];
      const socket = (flush: () => number): Flushable => ({
        marked: false,
        flush: () => flush() < 0,
      });
      const bad = socket(broken);
      const good = socket(() => written.push("good"));
      for (let turn = 0; turn < 2; turn++) {
        flusher.mark(bad);
        flusher.mark(good);
        await quiet();
      }
      expect(written).toEqual(["good", "good"]);
      expect(told).toEqual(Array(2).fill("a socket could not be written to"));
    }));

  it("of a topic that throws, tells the log, writes the sockets, and hands out the next", () =>
    world(async ({ flusher, told, quiet }) => {
      const seen: string[] = [];
      const run = (handOut: () => void): OpenRun => ({ end: 0, handOut, catchUp() {} });
      flusher.mark({ marked: false, flush: () => seen.push("socket") < 0 });
      flusher.open(run(broken));
      await quiet();
      flusher.open(run(broken));
      // Who speaks next is not the one to be told.
      flusher.open(run(() => void seen.push("next")));
      await quiet();
      expect(seen).toEqual(["socket", "next"]);
      expect(told).toEqual(Array(2).fill("broadcasts could not be handed out"));
    }));

  it("writes 2,000 times at most between two polls, and soon all who stand in line, whoever else may write at once", () => {
    const sockets = fc.nat(2_500);
    const iteration = fc.record({
      marked: sockets,
      before: sockets,
      told: sockets,
      after: sockets,
    });
    fc.assert(
      fc.property(fc.array(iteration, { minLength: 1, maxLength: 8 }), (iterations) => {
        let turns: (() => void)[] = [];
        const turn = (run: () => void): void => void turns.push(run);
        const flusher = new Flusher({ turn } as Partial<Runtime> as Runtime);
        let writes = 0;
        let standing = 0;
        const answer = (count: number): void => {
          for (let n = 0; n < count; n++) if (flusher.goesAhead()) writes++;
        };
        /** One pass of the event loop: what was polled, then the turns that were asked for until now, and what they lead to. */
        const pass = ({ marked, before, told, after }: (typeof iterations)[number]): void => {
          writes = 0;
          answer(before);
          for (let n = 0; n < marked; n++)
            flusher.mark({ marked: false, flush: () => (writes++, standing-- < 0) });
          standing += marked;
          flusher.open({
            end: 0,
            handOut() {
              for (let n = 0; n < told; n++) if (flusher.takesTurn()) writes++;
            },
            catchUp() {},
          });
          const due = turns;
          turns = [];
          for (const run of due) run();
          answer(after);
          expect(writes).toBeLessThanOrEqual(2_000);
        };
        for (const each of iterations) pass(each);
        const busy = { marked: 0, before: 2_500, told: 2_500, after: 2_500 };
        for (let passes = Math.ceil(standing / 1_000) + 1; passes > 0; passes--) pass(busy);
        expect(standing).toBe(0);
      }),
    );
  });
});
