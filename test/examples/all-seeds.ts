// Simulates every example under many seeds: `npm run test:nightly`, 10,000 of each unless another number is given.
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { SimulationReport } from "sluice/testing";

const root = new URL("../../", import.meta.url);
const run = promisify(execFile);
/** Seeds of one process: each run is a module of its own, which stays in memory. */
const most = 1_000;

/**
 * The examples that are programs: what exports is a part of others, one that simulates cannot be simulated, and one that attaches
 * to a server of a framework does real I/O.
 */
export function programs(): string[] {
  const text = (file: string): string => readFileSync(new URL(`examples/${file}`, root), "utf8");
  return globSync("*.ts", { cwd: new URL("examples/", root) })
    .filter((file) => !/^export |from "sluice\/testing"|listen\(/m.test(text(file)))
    .toSorted();
}

async function part(file: string, from: number, to: number): Promise<SimulationReport> {
  const args = ["--conditions=sluice-source", "test/examples/many-seeds.ts", file];
  const { stdout } = await run(process.execPath, [...args, String(from), String(to)], {
    cwd: root,
    maxBuffer: 2 ** 24,
    // Each run is a module of its own: the cache would fill up with what nobody loads again.
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" },
  });
  return JSON.parse(stdout) as SimulationReport;
}

/** What was done with one example, over all its seeds. */
export type Counted = Pick<
  SimulationReport,
  "seeds" | "steps" | "events" | "crashes" | "slow" | "clockJumps" | "restarts" | "traces"
>;

/** Simulates each of them under so many seeds; `say` gets a line for each. */
export async function simulateAll(
  seeds: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, Counted>> {
  const counted = new Map<string, Counted>();
  const files = programs();
  const jobs = files.flatMap((file) =>
    Array.from({ length: Math.ceil(seeds / most) }, (_, nth) => ({ file, from: nth * most + 1 })),
  );
  const next = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { file, from } = job;
      const report = await part(file, from, Math.min(from + most - 1, seeds));
      counted.set(file, sum(counted.get(file), report));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  for (const file of files) say(`${file.padEnd(28)} ${line(counted.get(file)!)}`);
  return counted;
}

/** Traces of two parts are counted as they are: a few may be alike. */
function sum(before: Counted | undefined, { seeds, ...report }: SimulationReport): Counted {
  const add = (what: keyof Counted, more: number): number => (before?.[what] ?? 0) + more;
  return {
    seeds: add("seeds", seeds),
    steps: add("steps", report.steps),
    events: add("events", report.events),
    crashes: add("crashes", report.crashes),
    slow: add("slow", report.slow),
    clockJumps: add("clockJumps", report.clockJumps),
    restarts: add("restarts", report.restarts),
    traces: add("traces", report.traces),
  };
}

const line = (counted: Counted): string =>
  Object.entries(counted)
    .map(([what, count]) => `${count.toLocaleString("en")} ${what}`)
    .join(", ");

if (import.meta.main) {
  const seeds = Number(process.argv[2] ?? 10_000);
  const counted = await simulateAll(seeds, (text) => console.info(text));
  console.info(`${counted.size} examples, ${seeds.toLocaleString("en")} seeds of each`);
}
