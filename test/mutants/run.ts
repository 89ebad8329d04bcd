// Plants each fault in a copy of the engine and lets the simulation hunt it: `npm run mutants`.
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { Found } from "./hunt.ts";
import { mutants } from "./mutants.ts";

const root = new URL("../../", import.meta.url);
const run = promisify(execFile);

/** Hunts one fault, or with none looks whether the engine itself is clean. */
async function hunt(name: string | undefined, seeds: number): Promise<Found> {
  const args = ["--conditions=sluice-source", "test/mutants/hunt.ts", String(seeds)];
  const { stdout } = await run(process.execPath, name === undefined ? args : [...args, name], {
    cwd: root,
  });
  return JSON.parse(stdout) as Found;
}

const shortened = (text: string): string => (text.length > 72 ? `${text.slice(0, 72)}…` : text);

/** Hunts all of them, as many at once as there are cores, and says what was found; resolves with how many. */
export async function huntAll(seeds: number, say: (line: string) => void): Promise<number> {
  const results = new Map<string | undefined, Found>();
  const queue = [undefined, ...mutants.map(({ name }) => name)];
  const next = async (): Promise<void> => {
    while (queue.length > 0) {
      const name = queue.shift();
      results.set(name, await hunt(name, seeds));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  const clean = results.get(undefined)!;
  if (clean.seed !== undefined)
    throw new Error(
      `the engine itself breaks: ${clean.invariant} in ${clean.program} at seed ${clean.seed}`,
    );
  say(`the engine itself: nothing in ${seeds} seeds`);
  let found = 0;
  const firsts: number[] = [];
  for (const { name } of mutants) {
    const { seed, program, invariant = "" } = results.get(name)!;
    const where = seed === undefined ? `NOT FOUND in ${seeds} seeds` : `seed ${seed}, ${program}`;
    say(`${name.padEnd(42)} ${where.padEnd(22)} ${shortened(invariant.split("\n")[0]!)}`);
    if (seed === undefined) continue;
    found++;
    firsts.push(seed);
  }
  const median = firsts.toSorted((a, b) => a - b)[Math.floor(firsts.length / 2)] ?? "none";
  say(`score: ${found} of ${mutants.length} found, median seed ${median}`);
  return found;
}

if (import.meta.main) {
  const found = await huntAll(1_000, (line) => console.info(line));
  if (found < mutants.length) process.exitCode = 1;
}
