// Simulates one example under many seeds: `node --conditions=sluice-source test/examples/many-seeds.ts <file> <from> <to>`.
import { Readable } from "node:stream";
import { attach } from "sluice/telemetry";
import { simulate, type Faults, type Simulation } from "sluice/testing";

/** How an example is simulated, where that is not as most are. */
interface Way {
  /** Virtual time that it is given before it is told to end; default 3,000. */
  readonly forMs?: number;
  /** It restarts what crashes: then it has to end in order all the same. Default 0. */
  readonly crash?: number;
  /** What it reads, if it reads. */
  readonly input?: readonly string[];
}

const ways: { readonly [file: string]: Way } = {
  "a4-consumer-supervisor.ts": { crash: 0.01 },
  "a5-filter.ts": { crash: 0.01 },
  "a6-registry.ts": { crash: 0.01 },
  "a7-restart.ts": { forMs: 100 },
  "a8-realtime-push.ts": { forMs: 1_500 },
  "a8b-pipe.ts": { forMs: 500, input: ["one\n", "two\nthree\n"] },
  "a9-traits.ts": { forMs: 300 },
};
const slow = { probability: 0.05, maxMs: 50 };
const clockJumpMs = 3_600_000;

/** Runs the example, tells it to end, and sees that it does; what it holds by then is the simulation's to check. */
async function example(
  simulation: Simulation,
  file: string,
  { forMs = 3_000 }: Way,
): Promise<void> {
  const { load, advance, interrupt, seed } = simulation;
  // A module runs once: each run is another one.
  const program = load(() => import(`../../examples/${file}?seed=${seed}`));
  // Awaited below: it may end, or fail, before.
  program.catch(() => {});
  await advance(forMs);
  interrupt();
  await program;
}

const [file = "", from = "1", to = "1"] = process.argv.slice(2);
const way = ways[file] ?? {};
const faults: Faults = { crash: way.crash ?? 0, slow, clockJumpMs };
console.info = console.warn = () => {};
attach("sluice.log", () => {});
const { input } = way;
if (input !== undefined)
  Object.defineProperty(process, "stdin", { get: () => Readable.from(input) });
const seeds = Array.from({ length: Number(to) - Number(from) + 1 }, (_, n) => Number(from) + n);
const report = await simulate((simulation) => example(simulation, file, way), {
  seeds,
  faults,
  maxShrinks: 0,
});
process.stdout.write(JSON.stringify(report));
