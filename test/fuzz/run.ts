// `npm run fuzz [inputs] [seed]`: a million mutated frames through every decoder; fails if one is not handled.
import { argv } from "node:process";
import { fuzz } from "./wire.ts";

const inputs = Number(argv[2] ?? 1_000_000);
const seed = Number(argv[3] ?? Math.floor(Math.random() * 2 ** 32));
const { tallies, crashes, slowestMs } = fuzz(inputs, seed);
console.table(tallies);
const total = tallies.reduce((sum, tally) => sum + tally.inputs, 0);
console.info(
  `${total} inputs, ${crashes.length} crashes, seed ${seed}, slowest input ${slowestMs.toFixed(1)} ms`,
);
for (const crash of crashes) console.error(crash);
process.exitCode = crashes.length > 0 ? 1 : 0;
