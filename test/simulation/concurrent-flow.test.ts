import { describe, expect, it } from "vitest";
import { simulate, type Faults } from "sluice/testing";
import { concurrentFlow, type Order } from "./concurrent-flow.ts";

const slow = { probability: 0.05, maxMs: 30 };
const faults: { readonly [what: string]: Faults } = {
  "no faults": {},
  crashes: { crash: 0.02 },
  "slow processes": { slow },
  "crashes and slow processes": { crash: 0.02, slow },
};
const seeds = 40;
const orders: readonly Order[] = ["ordered", "unordered", "keyed"];

describe.each(orders)("work in flight, %s, paused and resumed", (order) => {
  it.each(Object.entries(faults))(
    "R1, R12, R13: never more than asked for or than there are places, the order that was promised, nothing missing but what was in flight: %s",
    async (_what, faults) => {
      expect(await simulate(concurrentFlow(order), { seeds, faults })).toMatchObject({
        seeds,
      });
    },
  );

  it("R19: the same seeds give the same trace, twice", async () => {
    const options = { seeds: 3, faults: { crash: 0.05, slow } };
    const first = await simulate(concurrentFlow(order), options);
    expect((await simulate(concurrentFlow(order), options)).digest).toBe(first.digest);
  });
});
