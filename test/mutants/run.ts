// Applies each fault to a copy of the engine and lets the simulation hunt it: `npm run mutants`.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Found } from "./hunt.ts";
import { mutants, type Mutant } from "./mutants.ts";

const root = new URL("../../", import.meta.url).pathname;
const run = promisify(execFile);

/** A copy of what the hunt needs, with the fault in it. */
async function copyWith(mutant: Mutant | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-mutant-"));
  for (const part of ["src", "test/simulation", "test/mutants", "package.json"]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  if (mutant === undefined) return folder;
  const file = join(folder, mutant.file);
  const text = await readFile(file, "utf8");
  const [before, after, ...more] = text.split(mutant.line);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `${mutant.name}: its line does not stand once in ${mutant.file}; look at the engine and mend the fault`,
    );
  }
  await writeFile(file, before + mutant.fault + after);
  return folder;
}

/** Hunts one fault, or with none looks whether the engine itself is clean. */
export async function hunt(mutant: Mutant | undefined, seeds: number): Promise<Found> {
  const folder = await copyWith(mutant);
  try {
    const { stdout } = await run(
      process.execPath,
      ["--conditions=sluice-source", "test/mutants/hunt.ts", String(seeds)],
      { cwd: folder },
    );
    return JSON.parse(stdout) as Found;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Hunts all of them and says what was found; resolves with how many. */
export async function huntAll(seeds: number, say: (line: string) => void): Promise<number> {
  const clean = await hunt(undefined, seeds);
  if (clean.seed !== undefined)
    throw new Error(`the engine itself breaks: ${clean.invariant} at seed ${clean.seed}`);
  say(`clean: nothing in ${seeds} seeds`);
  let found = 0;
  for (const mutant of mutants) {
    const { seed, invariant } = await hunt(mutant, seeds);
    if (seed !== undefined) found++;
    say(
      seed === undefined
        ? `${mutant.name}: NOT FOUND in ${seeds} seeds`
        : `${mutant.name}: seed ${seed}: ${invariant}`,
    );
  }
  say(`${found} of ${mutants.length} found`);
  return found;
}

if (import.meta.main) {
  const found = await huntAll(1_000, (line) => console.info(line));
  if (found < mutants.length) process.exitCode = 1;
}
