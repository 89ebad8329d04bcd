import { expect, it } from "vitest";
import { simulate } from "sluice/testing";
import { flow } from "./flow.ts";

it("R1, R12, R13: never more than asked, order per pair, nothing lost but what was in hand at a crash", async () => {
  const report = await simulate(flow, { seeds: 500, faults: { crash: 0.02 } });
  expect(report.seeds).toBe(500);
});

it("R12: without a crash nothing is lost", async () => {
  await simulate(flow, { seeds: 50 });
});

it("R19: the same seeds give the same trace, twice", async () => {
  const seeds = [1, 2, 3, 4, 5];
  const first = await simulate(flow, { seeds, faults: { crash: 0.05 } });
  const second = await simulate(flow, { seeds, faults: { crash: 0.05 } });
  expect(second).toEqual(first);
});
