// R53 and R54 under 10,000 seeds, or as many as are given: a part of `npm run test:nightly`.
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { inWords, together, type Summary } from "./summary.ts";

const run = promisify(execFile);
const cwd = new URL("../../", import.meta.url);
const most = 1_000;
const seeds = Number(process.argv[2] ?? 10_000);
const parts = Array.from({ length: Math.ceil(seeds / most) }, (_, nth) => nth * most + 1);
const found: Summary[] = [];

async function next(): Promise<void> {
  for (let from = parts.shift(); from !== undefined; from = parts.shift()) {
    const to = Math.min(from + most - 1, seeds);
    const args = ["--conditions=sluice-source", "test/presence/many-seeds.ts"];
    const { stdout } = await run(process.execPath, [...args, String(from), String(to)], { cwd });
    found.push(JSON.parse(stdout) as Summary);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, next));
console.info(`presence: ${inWords(together(found))}`);
