// What throws for one socket, or for one topic, is nobody else's.
import { describe, expect, it } from "vitest";
import { currentSystem } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { Flusher, type Flushable } from "./flusher.ts";

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
      const socket = (flush: () => void): Flushable => ({ marked: false, flush });
      const bad = socket(broken);
      const good = socket(() => void written.push("good"));
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
      const run = (handOut: () => void): { handOut(): void; catchUp(): void } => ({
        handOut,
        catchUp() {},
      });
      flusher.mark({ marked: false, flush: () => void seen.push("socket") });
      flusher.open(run(broken));
      await quiet();
      flusher.open(run(broken));
      // Who speaks next is not the one to be told.
      flusher.open(run(() => void seen.push("next")));
      await quiet();
      expect(seen).toEqual(["socket", "next"]);
      expect(told).toEqual(Array(2).fill("broadcasts could not be handed out"));
    }));
});
