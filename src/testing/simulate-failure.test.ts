import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/index.ts";
import { cellOf, type Cell } from "../process/internal.ts";
import { Process, sleep, start } from "../process/index.ts";
import { Steps, failure } from "../../test/simulation/steps.ts";
import { simulate } from "./simulate.ts";

describe("a simulation that fails", () => {
  it("names the seed, what broke, and the last steps; with that seed it fails again", async () => {
    const program = async ({ seed }: { seed: number }): Promise<void> => {
      const log: string[] = [];
      await using a = await start(Steps, { args: ["a", log] });
      await a.call.step();
      if (seed >= 4) throw new RangeError("four");
    };
    const { details, message, cause } = await failure(simulate(program, { seeds: 10 }));
    expect(details).toMatchObject({ seed: 4, invariant: "RangeError: four" });
    expect(details.trace).toEqual([
      "0.000 Steps#1 starts",
      "0.000 Steps#1 call step()",
      "0.000 Steps#1 stops: shutdown",
    ]);
    expect(message).toContain("seed 4 breaks: RangeError: four\nreplay it with { seeds: [");
    expect(cause).toEqual(new RangeError("four"));
    expect((await failure(simulate(program, { seeds: [4] }))).details).toEqual(details);
  });

  it("when what always has to hold does not, after the step that broke it", async () => {
    const broken = simulate(
      async ({ always, quiet }) => {
        const log: string[] = [];
        always("fewer than three", () => log.length < 3);
        await using a = await start(Steps, { args: ["a", log] });
        for (let n = 0; n < 9; n++) a.cast.step();
        await quiet();
      },
      { seeds: 1 },
    );
    const { invariant, trace } = (await failure(broken)).details;
    expect(invariant).toBe("fewer than three");
    expect(trace.filter((line) => line.includes("cast step()"))).toHaveLength(3);
  });

  it.each([
    ["a process", async () => void (await start(Steps, { args: ["a", []] })), /processes Steps#1/],
    ["a timer", () => void setTimeout(() => {}, 10), /timers 1/],
  ])("when it leaves %s behind", async (_what, program, left) => {
    const { details, cause } = await failure(simulate(program, { seeds: 1 }));
    expect(details.invariant).toMatch(left);
    expect(cause).toMatchObject({ code: "SLUICE_LEFT_BEHIND" });
  });

  it("when it waits for what never comes, or goes on for ever", async () => {
    const forever = await failure(simulate(() => new Promise(() => {}), { seeds: 1 }));
    expect(forever.details.invariant).toMatch(/^the program goes on: nothing is left/);
    const endless = simulate(
      async () => {
        class Endless extends Process {
          protected override init(): void {
            this.#again();
          }
          #again(): void {
            this.self.after(0, () => this.#again());
          }
        }
        await start(Endless);
        await new Promise(() => {});
      },
      { seeds: 1, maxSteps: 100 },
    );
    expect((await failure(endless)).details.invariant).toBe("it ends within 100 steps");
  });

  it("lets the program end what it holds: its waits reject, its processes stop", async () => {
    const ended: string[] = [];
    const broken = simulate(
      async ({ always, advance }) => {
        const log: string[] = [];
        await using stack = new AsyncDisposableStack();
        stack.defer(() => void ended.push("disposed"));
        stack.use(await start(Steps, { args: ["a", log] })).cast.step();
        always("nobody steps", () => log.length === 0);
        await advance(1_000);
        ended.push("never");
      },
      { seeds: 1, maxShrinks: 0 },
    );
    expect((await failure(broken)).details.invariant).toBe("nobody steps");
    expect(ended).toEqual(["disposed"]);
  });

  it("R2: when a process begins a callback while another has not ended", async () => {
    class Eager extends Process {
      async wait(): Promise<void> {
        await sleep(10);
      }
      next(): void {}
    }
    let cell: Cell | undefined;
    const broken = simulate(
      async ({ quiet, advance }) => {
        class Seen extends Eager {
          protected override init(): void {
            cell = cellOf(this);
          }
        }
        await using eager = await start(Seen);
        eager.cast.wait();
        await quiet();
        // What only a broken engine would do.
        cell!.busy = false;
        eager.cast.next();
        await advance(20);
      },
      { seeds: 1 },
    );
    expect((await failure(broken)).details.invariant).toBe(
      "Seen#1 began a callback while another had not ended",
    );
  });

  it("puts the globals and the system back", async () => {
    const [system, now, timeout] = [currentSystem(), Date.now, globalThis.setTimeout];
    await failure(simulate(() => Promise.reject(new Error("no")), { seeds: 1 }));
    expect([currentSystem(), Date.now, globalThis.setTimeout]).toEqual([system, now, timeout]);
  });
});
