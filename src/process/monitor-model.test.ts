import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import { Process, start, stop, type Ref } from "./index.ts";
import { cellOf } from "./internal.ts";

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

class Watched extends Process {
  crash(): void {
    throw new Error("on purpose");
  }
}

/** Holds monitors and links, and counts what it is told. */
class Watcher extends Process {
  readonly downs: number[] = [];
  readonly exits: string[] = [];
  readonly #monitors: Disposable[] = [];
  protected override init(): void {
    this.self.trapExits((from) => void this.exits.push(from.pid));
  }
  monitor(target: Ref<unknown>): void {
    const index = this.downs.push(0) - 1;
    this.#monitors.push(this.self.monitor(target, () => void this.downs[index]!++));
  }
  demonitor(index: number): void {
    this.#monitors[index]?.[Symbol.dispose]();
  }
  link(target: Ref<unknown>): void {
    this.self.link(target);
  }
  told(): { readonly downs: readonly number[]; readonly exits: readonly string[] } {
    return { downs: [...this.downs], exits: [...this.exits] };
  }
  opens(): { readonly watching: number; readonly links: number } {
    const { watching, links } = cellOf(this).extras;
    return { watching: watching?.size ?? 0, links: links?.size ?? 0 };
  }
}

/** What is done, to the watched process at an index, or to the monitor at one. */
type Step = readonly [
  what: "monitor" | "demonitor" | "link" | "crash" | "stop" | "kill" | "quiet",
  index: number,
];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>(
      "monitor",
      "monitor",
      "demonitor",
      "link",
      "crash",
      "stop",
      "kill",
      "quiet",
    ),
    fc.nat(3),
  ),
  { maxLength: 40, size: "+1" },
);

describe("monitors and links", () => {
  it("R28, O6, O7, O9: one down per monitor, also of the dead and taken twice; after a demonitor none; one exit per link", async () => {
    let downs = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (list, seed) => {
        await simulate(
          async ({ quiet }) => {
            const watched = await Promise.all([0, 1, 2, 3].map(() => start(Watched)));
            await using watcher = await start(Watcher);
            const dead = new Set<number>();
            /** By monitor: whom it watches; whether it was taken back while that was certainly in time. */
            const monitors: { readonly of: number; flushed: boolean }[] = [];
            const links = new Map<number, number>();
            for (const [what, index] of list) {
              const target = watched[index]!;
              if (what === "monitor") {
                monitors.push({ of: index, flushed: false });
                watcher.cast.monitor(target);
              } else if (what === "demonitor") {
                // Flushed: in one turn with the look at what came before, nothing may come after.
                watcher.cast.demonitor(index);
                const before = (await watcher.call.told()).downs[index];
                const monitor = monitors[index];
                if (monitor !== undefined && before === 0) monitor.flushed = true;
              } else if (what === "link") {
                // A second link of a pair is the same; one to the dead is an exit at once.
                links.set(index, dead.has(index) ? (links.get(index) ?? 0) + 1 : 1);
                await watcher.call.link(target);
              } else if (what === "quiet") await quiet();
              else if (!dead.has(index)) {
                dead.add(index);
                await quiet();
                if (what === "crash") target.cast.crash();
                else await target.stop("normal", what === "kill" ? { timeoutMs: 0 } : {});
                await quiet();
              }
            }
            await quiet();
            const told = await watcher.call.told();
            const expected = monitors.map(({ of, flushed }) => (dead.has(of) && !flushed ? 1 : 0));
            expect(told.downs).toEqual(expected);
            for (const [index, times] of links) {
              const exits = told.exits.filter((pid) => pid === watched[index]!.pid);
              expect(exits).toHaveLength(dead.has(index) ? times : 0);
            }
            const open = monitors.filter(({ of, flushed }) => !dead.has(of) && !flushed);
            expect(await watcher.call.opens()).toEqual({
              watching: open.length,
              links: [...links.keys()].filter((index) => !dead.has(index)).length,
            });
            downs += expected.filter((count) => count === 1).length;
            await watcher.stop();
            await Promise.all(watched.map((target) => stop(target)));
          },
          { seeds: [seed] },
        );
      }),
      { numRuns: 300 },
    );
    expect(downs).toBeGreaterThan(100);
  });
});
