import { describe, expect, it } from "vitest";
import { simulate, type SimulationReport } from "sluice/testing";
import { known } from "./neighbours.ts";
import { faults, programs } from "./programs.ts";
import { spoken } from "./voices.ts";

const run = (name: string): Promise<SimulationReport> =>
  simulate(programs[name]!, { seeds: 100, faults });

describe("simulated programs that keep books, in 100 orders", () => {
  it("R14, R28, R30: a family starts in order and stops in reverse; one down per monitor; names are freed; every call is answered or refused", async () => {
    const { traces, crashes, restarts } = await run("household");
    expect([traces, crashes > 500, restarts > 500]).toEqual([100, true, true]);
  });

  it("R24: mailboxes and restarts to the number, exclusive children one at a time", async () => {
    const { traces, restarts } = await run("limits");
    expect([traces > 10, restarts > 100]).toEqual([true, true]);
  });

  it("R12: a full buffer keeps the end that it was told to keep, and lets all out before its stage ends", async () => {
    const { traces, events } = await run("keeping");
    expect([traces > 50, events > 200]).toEqual([true, true]);
  });

  it("R12, R14: a drain lets everything through that was made", async () => {
    const { traces, events } = await run("leaving");
    expect([traces, events > 1_000]).toEqual([100, true]);
  });

  it("R13, C42: a client hears all that is for it, once and in the order in which it was said, whatever goes out at once and whatever waits", async () => {
    expect((await run("voices")).traces).toBe(100);
    const { pushes, broadcasts, replies } = spoken;
    expect([pushes > 500, broadcasts > 2_000, replies > 2_000]).toEqual([true, true, true]);
  });

  it("C63, C69, C70, R52: nodes behind a broker that is slow, dies and is cut off hear each other once and in order, nobody himself; what is missing is told where it is missing, and in the end nothing is", async () => {
    expect((await run("neighbours")).traces).toBe(100);
    expect([known.words > 5_000, known.holes > 500, known.gaps > 1_000]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each(Object.keys(programs))("R19: each seed of %s, run twice, does the same", async (name) => {
    const seeds = [1, 2, 3, 4, 5];
    const first = await simulate(programs[name]!, { seeds, faults });
    expect(await simulate(programs[name]!, { seeds, faults })).toEqual(first);
  });
});

it.each(["flow", "slowFlow", "offers", "crew", "household"])(
  "R44: a wall clock that jumps by an hour changes nothing in %s",
  async (name) => {
    const { clockJumpMs = 0, ...others } = faults;
    const steady = await simulate(programs[name]!, { seeds: 5, faults: others });
    const calm = await simulate(programs[name]!, { seeds: 5 });
    const jumping = await simulate(programs[name]!, { seeds: 5, faults: { clockJumpMs } });
    expect(jumping.clockJumps).toBeGreaterThan(0);
    expect([jumping.digest, jumping.events]).toEqual([calm.digest, calm.events]);
    expect(steady.digest).not.toBe(calm.digest);
  },
);
