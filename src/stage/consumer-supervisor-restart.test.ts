import { describe, expect, it } from "vitest";
import { Work, crew, workers } from "../../test/stage/crew.ts";
import { cellOf, quietly } from "../../test/stage/probing.ts";
import { Process, sleep } from "../process/index.ts";
import { cellOf as ownCell } from "../process/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import type { ExitReason } from "../support/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import type { TaskContext } from "./consumer-supervisor.ts";

/** Ends that a child may have, by itself or by others. */
const ends: readonly [event: number, orderly: boolean, reason: ExitReason][] = [
  [0, true, "normal"],
  [1, true, "shutdown"],
  [2, true, { shutdown: "why" }],
  [3, false, { crash: "why" }],
  [4, false, "killed"],
];

/** Ends as soon as it is up, as its event says. */
class Ends extends Process {
  static begun: number[] = [];
  readonly #event: number;
  constructor(event: number) {
    super();
    this.#event = event;
  }
  protected override init(): void {
    Ends.begun.push(this.#event);
    this.self.after(1, () => {
      const [, orderly, reason] = ends[this.#event]!;
      if (orderly) this.self.stop(reason);
      else if (reason === "killed") ownCell(this).kill("killed");
      else throw (reason as { crash: unknown }).crash;
    });
  }
}
/** The child of the one event that there is. */
const onlyChild = () => [...cellOf(workers).children!][0]!;

/** A child whose starts go by a script: up, or the way in which they fail. */
function scripted(script: readonly ("up" | "fail" | "leave")[]): {
  readonly starts: () => number;
  readonly child: typeof Process & (new (event: number) => Process);
} {
  let starts = 0;
  class Scripted extends Process {
    protected override async init(): Promise<void> {
      const step = script[starts++] ?? "up";
      if (step === "fail") throw new RangeError(`start ${starts}`);
      if (step === "leave") this.self.stop();
    }
  }
  return { starts: () => starts, child: Scripted };
}

describe("a temporary child", () => {
  it.each(ends)("CS15, G113: is not restarted (case %i)", async (event, orderly) => {
    await simulate(
      async ({ advance }) => {
        using _silent = quietly();
        Ends.begun = [];
        await using staff = await crew(Ends, { maxDemand: 1 });
        staff.probe.emit([event]);
        await advance(1_000);
        expect(Ends.begun).toEqual([event]);
        expect(staff.figures()).toMatchObject({ done: orderly ? 1 : 0, failed: orderly ? 0 : 1 });
      },
      { seeds: 3 },
    );
  });
});

describe("a transient child", () => {
  it.each(ends)(
    "CS16, G113: is restarted after a crash only, with the same event (case %i)",
    async (event, orderly) => {
      await simulate(
        async ({ advance }) => {
          using _silent = quietly();
          Ends.begun = [];
          const options = { restart: "transient", maxRestarts: 2 } as const;
          await using staff = await crew(Ends, { maxDemand: 1 }, options);
          staff.probe.emit([event]);
          await advance(2.5);
          expect(Ends.begun).toEqual(orderly ? [event] : [event, event, event]);
          expect(staff.figures()).toMatchObject({ running: orderly ? 0 : 1 });
        },
        { seeds: 3 },
      );
    },
  );

  it("CS17: a restart may end in order: the child is gone, its slot free", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const { child, starts } = scripted(["up", "leave"]);
        await using staff = await crew(child, { maxDemand: 1 }, { restart: "transient" });
        staff.probe.emit([1]);
        await quiet();
        onlyChild().kill({ crash: "a" });
        await quiet();
        expect(starts()).toBe(2);
        expect(await workers.call.whichChildren()).toEqual([]);
        expect(staff.figures()).toMatchObject({ asked: 1, done: 1, failed: 0 });
      },
      { seeds: 5 },
    );
  });

  it("CS17, CS18: a restart that fails is tried again, and counts as restarting until it is up", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const { child, starts } = scripted(["up", "fail", "up"]);
        const options = { restart: "transient", restartDelayMs: 100 } as const;
        await using staff = await crew(child, { maxDemand: 1 }, options);
        staff.probe.emit([1]);
        await quiet();
        onlyChild().kill({ crash: "a" });
        await advance(150);
        expect(starts()).toBe(2);
        const restarting = { specs: 1, workers: 1, active: 0, restarts: 2 };
        expect(await workers.call.countChildren()).toMatchObject(restarting);
        await advance(100);
        expect(starts()).toBe(3);
        expect(await workers.call.countChildren()).toMatchObject({ specs: 1, active: 1 });
        expect(staff.figures()).toMatchObject({ asked: 0, running: 1, done: 0, failed: 0 });
      },
      { seeds: 5 },
    );
  });

  it("CS18: at once, where no delay is given", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const { child, starts } = scripted(["fail", "fail", "up"]);
        await using staff = await crew(child, { maxDemand: 1 }, { restart: "transient" });
        staff.probe.emit([1]);
        await quiet();
        expect(starts()).toBe(3);
        expect(staff.figures()).toMatchObject({ running: 1, failed: 0 });
      },
      { seeds: 5 },
    );
  });

  it("CS41: one that waits for its restart keeps its slot", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const begun: number[] = [];
        const work = (event: number, { attempt }: TaskContext): void => {
          begun.push(event);
          if (event === 1 && attempt === 1) throw new RangeError("first");
        };
        const options = { restart: "transient", restartDelayMs: 1_000 } as const;
        await using staff = await crew(work, { maxDemand: 1 }, options);
        staff.probe.emit([1, 2]);
        await quiet();
        await advance(900);
        expect(begun).toEqual([1]);
        await advance(200);
        expect(begun).toEqual([1, 1, 2]);
      },
      { seeds: 5 },
    );
  });

  it("a back-off grows with each try, and starts anew after a long life", async () => {
    await simulate(
      async ({ advance }) => {
        using _silent = quietly();
        const at: number[] = [];
        const work = async (_event: number, { attempt }: TaskContext): Promise<void> => {
          at.push(currentSystem().runtime.now());
          if (attempt === 4) await sleep(5_000);
          throw new RangeError("again");
        };
        const restartDelayMs = { firstMs: 100, maxMs: 1_000, resetAfterMs: 5_000 };
        const options = { restart: "transient", restartDelayMs, maxRestarts: 10 } as const;
        await using staff = await crew(work, { maxDemand: 1 }, options);
        staff.probe.emit([1]);
        await advance(5_850);
        const waits = at.slice(1).map((ms, index) => Math.round(ms - at[index]!));
        expect(waits).toEqual([100, 200, 400, 5_100]);
      },
      { seeds: 3 },
    );
  });

  it("a stop does not wait for delays, and nothing is restarted after it", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        let begun = 0;
        const work = (): void => {
          begun++;
          throw new RangeError("no");
        };
        const options = { restart: "transient", restartDelayMs: 60_000 } as const;
        const staff = await crew(work, { maxDemand: 1 }, options);
        staff.probe.emit([1]);
        await quiet();
        await staff.app.stop();
        await advance(100_000);
        expect(begun).toBe(1);
      },
      { seeds: 3 },
    );
  });
});

describe("too many restarts", () => {
  /** Crashes so often; why the supervisor ended. */
  const crashes = async (
    times: readonly number[],
    options: { readonly maxRestarts: number; readonly maxSeconds: number },
  ): Promise<unknown> => {
    let ended: unknown;
    await simulate(
      async ({ advance }) => {
        using _silent = quietly();
        ended = undefined;
        using _exits = attach("sluice.process.exited", ({ label, reason }) => {
          if (label === "workers") ended ??= reason;
        });
        const work = new Work();
        await using staff = await crew(
          work.run,
          { maxDemand: 1 },
          { restart: "transient", shutdown: "kill", ...options },
        );
        staff.probe.emit([1]);
        await advance(0);
        for (const ms of times) {
          await advance(ms);
          if (ended === undefined) cellOf(workersTask()).kill({ crash: ms });
        }
        await advance(0);
      },
      { seeds: 3 },
    );
    return ended;
  };
  const workersTask = () => [...cellOf(workers).children!][0]!.ref;
  const gaveUp = {
    shutdown: { code: "SLUICE_RESTART_INTENSITY", details: { restarts: 2, seconds: 1 } },
  };
  const limits = { maxRestarts: 2, maxSeconds: 1 };

  it("CS19, G114: the one beyond the limit ends the supervisor, in order", async () => {
    expect(await crashes([1, 1, 1], limits)).toMatchObject(gaveUp);
  });

  it("CS20: restarts older than the window do not count", async () => {
    expect(await crashes([1, 500, 501, 500, 501], limits)).toBe("shutdown");
    expect(await crashes([1, 500, 501, 400], limits)).toMatchObject(gaveUp);
  });

  it("CS21: tries of a failing restart count", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const reasons: unknown[] = [];
        using _exits = attach("sluice.process.exited", ({ label, reason }) => {
          if (label === "workers") reasons.push(reason);
        });
        const { child, starts } = scripted(["fail", "fail", "fail", "fail"]);
        await using staff = await crew(
          child,
          { maxDemand: 1 },
          { restart: "transient", ...limits },
        );
        staff.probe.emit([1]);
        await quiet();
        expect(starts()).toBe(3);
        expect(reasons).toMatchObject([gaveUp]);
      },
      { seeds: 5 },
    );
  });
});
