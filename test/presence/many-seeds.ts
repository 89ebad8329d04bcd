// Presence on several nodes under many seeds: `node --conditions=sluice-source test/presence/many-seeds.ts <from> <to>`
// prints what it came to as JSON; `test/presence/all-seeds.ts` runs it in as many processes as there are processors.
import { attach } from "sluice/telemetry";
import { summary, worlds } from "./world.ts";

const [from = "1", to = "1"] = process.argv.slice(2);
attach("sluice.log", () => {});
const seeds = Array.from({ length: Number(to) - Number(from) + 1 }, (_, n) => Number(from) + n);
process.stdout.write(JSON.stringify(summary(await worlds(seeds))));
