import { describe, expect, it } from "vitest";
import { simulate } from "sluice/testing";
import { faults, programs } from "./programs.ts";

const promises: { readonly [name: string]: string } = {
  household:
    "R14, R28, R30: starts in order, stops in reverse, one down per monitor, names freed, every call answered or refused",
  limits: "R24: mailboxes and restarts to the number, exclusive children one at a time",
  keeping:
    "R12: a full buffer keeps the end that it was told to keep, and lets all out before an end",
  leaving: "R12, R14: a drain lets everything through that was made",
  room: "R13: whoever is there hears each broadcast once and in order",
};

describe.each(Object.entries(promises))("%s", (name, promise) => {
  it(promise, async () => {
    const report = await simulate(programs[name]!, { seeds: 100, faults });
    expect(report).toMatchObject({ seeds: 100 });
    expect(report.traces, report.summary).toBeGreaterThan(10);
  });

  it("R19: each seed, run twice, does the same", async () => {
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
