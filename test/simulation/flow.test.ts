import { describe, expect, it } from "vitest";
import { simulate, type Faults } from "sluice/testing";
import { crew, flow, offers, slowFlow } from "./flow.ts";

const slow = { probability: 0.05, maxMs: 30 };
const programs = { flow: flow(), slowFlow, offers, crew };
const faults: { readonly [what: string]: Faults } = {
  "no faults": {},
  crashes: { crash: 0.02 },
  "slow processes": { slow },
  "crashes and slow processes": { crash: 0.02, slow },
};

describe.each(Object.entries(programs))("%s", (_name, program) => {
  it.each(Object.entries(faults))(
    "R1, R12, R13: never more than asked, order, and nothing missing but what was in hand: %s",
    async (_what, faults) => {
      const seeds = program === programs.flow ? 500 : 125;
      expect(await simulate(program, { seeds, faults })).toMatchObject({ seeds });
    },
  );
});

describe("a simulation", () => {
  const seeds = [1, 2, 3, 4, 5];

  it.each(Object.entries(programs))(
    "R19: the same seeds give the same trace, twice: %s",
    async (_name, program) => {
      const first = await simulate(program, { seeds, faults: { crash: 0.05, slow } });
      const second = await simulate(program, { seeds, faults: { crash: 0.05, slow } });
      expect(second).toEqual(first);
      expect((await simulate(program, { seeds: [6, 7], faults: { crash: 0.05 } })).digest).not.toBe(
        first.digest,
      );
    },
  );

  it("the protocol between stages is data: through structuredClone, step by step the same", async () => {
    const faults = { crash: 0.05, slow };
    const plain = await simulate(flow(), { seeds: 50, faults });
    const cloned = await simulate(flow(structuredClone), { seeds: 50, faults });
    expect(cloned).toEqual(plain);
  });
});
