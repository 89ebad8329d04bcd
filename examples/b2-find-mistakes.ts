// B2: finds the two mistakes of B1, and none in the third try: `node b2-find-mistakes.ts`.
import { SluiceError } from "sluice";
import { simulate, type Faults } from "sluice/testing";
import { addOneMore, addOnce, askThenSet, pipeline, type Count } from "./b1-unread.ts";

const faults: Faults = {
  crash: 0.02,
  slow: { probability: 0.05, maxMs: 100 },
  clockJumpMs: 3_600_000,
};

async function attempt(what: string, count: Count, faults: Faults): Promise<void> {
  try {
    const { summary } = await simulate(pipeline(count), { seeds: 200, faults });
    console.info(`${what}: nothing found\n${summary}\n`);
  } catch (error) {
    if (!SluiceError.is(error, "SLUICE_SIMULATION_FAILED")) throw error;
    console.info(`${what}: ${error.message}\n`);
  }
}

await attempt("ask, then set", askThenSet, {});
await attempt("add one more", addOneMore, faults);
await attempt("add once", addOnce, faults);
