// Hunts one fault: `node --conditions=sluice-source test/mutants/hunt.ts <seeds> [name of the fault]`.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { mutants, type Mutant } from "./mutants.ts";

/** What a hunt found: the seed, the program and the invariant it breaks, or nothing in so many seeds. */
export interface Found {
  readonly seeds: number;
  readonly seed?: number;
  readonly program?: string;
  readonly invariant?: string;
}

/** From now on the file of the fault is loaded with the fault in it. */
function plant({ name, file, line, fault }: Mutant): void {
  const url = new URL(`../../${file}`, import.meta.url);
  const [before, after, ...more] = readFileSync(url, "utf8").split(line);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(
      `${name}: its line does not stand once in ${file}; look at the engine and mend the fault`,
    );
  registerHooks({
    load: (loading, context, next) =>
      loading === url.href
        ? { ...next(loading, context), source: before + fault + after, shortCircuit: true }
        : next(loading, context),
  });
}

const [seeds, name] = [Number(process.argv[2]), process.argv[3]];
const mutant = mutants.find((one) => one.name === name);
if (mutant !== undefined) plant(mutant);
const { SluiceError } = await import("sluice");
const { simulate } = await import("sluice/testing");
const { faults, programs } = await import("../simulation/programs.ts");

const list = Object.entries(programs);
let found: Found = { seeds };
for (let seed = 1; seed <= seeds && found.seed === undefined; seed++) {
  const [program, run] = list[seed % list.length]!;
  try {
    await simulate(run, { seeds: [seed], faults, maxSteps: 20_000, maxShrinks: 0 });
  } catch (error) {
    if (!SluiceError.is(error, "SLUICE_SIMULATION_FAILED")) throw error;
    found = { seed, program, invariant: error.details.invariant, seeds: seed };
  }
}
process.stdout.write(JSON.stringify(found));
