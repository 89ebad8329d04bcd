import { SluiceError } from "sluice";
import { simulate } from "sluice/testing";
import { flow } from "../simulation/flow.ts";

/** What a hunt found: the seed and the invariant it breaks, or nothing in so many seeds. */
export interface Found {
  readonly seed?: number;
  readonly invariant?: string;
  readonly seeds: number;
}

const most = Number(process.argv[2]);
let found: Found = { seeds: most };
for (let seed = 1; seed <= most; seed++) {
  try {
    await simulate(flow(), { seeds: [seed], faults: { crash: 0.02 }, maxSteps: 20_000 });
  } catch (error) {
    if (!SluiceError.is(error, "SLUICE_SIMULATION_FAILED")) throw error;
    found = { seed, invariant: error.details.invariant, seeds: seed };
    break;
  }
}
process.stdout.write(JSON.stringify(found));
