// `npm run bench -- [--only W2O,W6] [--peers sluice,effect] [--rounds 7] [--seed 1] [--gate]`: see docs/benchmarks.md.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { medianRate, ratio, table } from "./table.ts";
import type { Result } from "./table.ts";
import { checksum, workloads } from "./workloads.ts";
import type { PeerName, WorkloadName } from "./workloads.ts";

/** Ratios below which the engine was made slow. */
const gates = [
  { workload: "W1O", peer: "effect", atLeast: 2 },
  { workload: "W2O", peer: "effect", atLeast: 2 },
  { workload: "W3", peer: "effect", atLeast: 3 },
  { workload: "W4", peer: "effect", atLeast: 2 },
  { workload: "W5", peer: "effect", atLeast: 3 },
  { workload: "W6", peer: "node-streams", atLeast: 0.6 },
  { workload: "W7A", peer: "p-queue", atLeast: 3.5 },
  { workload: "W8d16", peer: "effect", atLeast: 1.9 },
  { workload: "W9c1000", peer: "effect", atLeast: 1.4 },
] as const;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string", default: "7" },
    seed: { type: "string" },
    gate: { type: "boolean", default: false },
  },
});

function chosen<N extends string>(list: string | undefined, known: readonly N[]): readonly N[] {
  if (list === undefined) return known;
  const names = list.split(",");
  const unknown = names.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return known.filter((name) => names.includes(name));
}

const every = Object.keys(workloads) as WorkloadName[];
const names = chosen(
  options.only ?? (options.gate ? gates.map((gate) => gate.workload).join(",") : undefined),
  every,
);
const peers = chosen(options.peers, [...new Set(every.flatMap((name) => workloads[name].peers))]);
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds ${options.rounds}: a whole number from 1`);
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));

/** Mulberry32: the same seed gives the same order of runs. */
function randomFrom(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const shuffled = [...list];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}

const run = promisify(execFile);

/** One fresh process; its result is only taken with the right checksum. */
async function measure(workload: WorkloadName, peer: PeerName, round: number): Promise<Result> {
  const limitMs = 120_000;
  const file = peer === "sluice" ? join(packed, "child.ts") : here("child.ts");
  const child = run(process.execPath, ["--expose-gc", file, workload, peer], {
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const { stdout } = await child.catch((error: Error & { readonly killed?: boolean }) => {
    throw error.killed ? new Error(`no result within ${limitMs / 1000} s`) : error;
  });
  const result = { ...(JSON.parse(stdout) as Omit<Result, "round">), round };
  const { sum, events } = result;
  if (sum !== expected.get(workload) || events !== workloads[workload].count) {
    throw new Error(
      `wrong checksum: ${sum} after ${events} events, expected ${expected.get(workload)}`,
    );
  }
  return result;
}

/** A step before the first measurement; the run ends with it when it fails. */
function prepare(what: string, folder: string, ...command: readonly string[]): void {
  console.info(`${what} …`);
  const { status } = spawnSync("npm", command, { cwd: here(folder), stdio: "inherit" });
  if (status === 0) return;
  console.error(`FAILED ${what}`);
  process.exit(1);
}

/** Where Sluice is installed as a user has it: from the packed tarball. */
const packed = here("../.cache/bench");

function packSluice(): void {
  const modules = join(packed, "node_modules/sluice");
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(modules, { recursive: true });
  prepare("packing Sluice", "..", "pack", "--silent", "--pack-destination", packed);
  const [tarball] = readdirSync(packed).filter((name) => name.endsWith(".tgz"));
  execFileSync("tar", ["-xzf", join(packed, tarball!), "-C", modules, "--strip-components=1"]);
  writeFileSync(join(packed, "package.json"), '{ "type": "module" }');
  for (const file of ["child.ts", "sluice.ts", "workloads.ts"])
    copyFileSync(here(file), join(packed, file));
}

if (!existsSync(here("peers/node_modules"))) prepare("installing the peers", "peers", "install");
if (peers.includes("sluice")) packSluice();

const expected = new Map(
  names.map((name) => [name, checksum(workloads[name], workloads[name].count)]),
);
const pairs = names.flatMap((workload) =>
  workloads[workload].peers
    .filter((peer) => peers.includes(peer))
    .map((peer) => ({ workload, peer })),
);
const machine = {
  node: process.version,
  cpu: cpus()[0]!.model,
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
};
const loadBefore = loadavg()[0]!;
const random = randomFrom(seed);
const results: Result[] = [];
const failures: string[] = [];
for (let round = 1; round <= rounds; round++) {
  for (const { workload, peer } of shuffle(pairs, random)) {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\u001b[Kround ${round}/${rounds} ${workload} ${peer}`);
    try {
      results.push(await measure(workload, peer, round));
    } catch (error) {
      failures.push(
        `${workload} ${peer}, round ${round}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
const load = [loadBefore, loadavg()[0]!] as const;

for (const name of names)
  console.info(
    `${name}: ${workloads[name].title}, ${workloads[name].count.toLocaleString("en")} events`,
  );
console.info(`\n${table(results, names)}\n`);
console.info(
  `Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}; ${rounds} rounds, seed ${seed}; load average ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after`,
);
console.info(`${results.length} runs with the right checksum, ${failures.length} failed`);

mkdirSync(here("results"), { recursive: true });
const file = `results/${new Date().toISOString().replaceAll(":", "-")}.json`;
writeFileSync(
  here(file),
  `${JSON.stringify({ machine, load, seed, rounds, failures, results }, undefined, 1)}\n`,
);
console.info(`raw results: bench/${file}`);

if (options.gate) {
  for (const { workload, peer, atLeast } of gates) {
    const reached = ratio(results, workload, peer);
    const line = `${workload}: Sluice ÷ ${peer} = ${reached?.toFixed(2) ?? "not measured"}, at least ${atLeast}`;
    if (reached === undefined || reached < atLeast) failures.push(`gate ${line}`);
    else console.info(`gate ${line}: held`);
  }
}
// What an event costs more with many consumers than with one, and a hop in a long chain than in a short one.
const rate = (name: WorkloadName): number | undefined => medianRate(results, name, "sluice");
const growths = [
  { what: "an event, 1,000 consumers ÷ 1", few: rate("W9c1"), many: rate("W9c1000"), atMost: 2.5 },
  { what: "a hop, depth 16 ÷ 1", few: rate("W8d1"), many: 8.5 * (rate("W8d16") ?? NaN), atMost: 1 },
];
for (const { what, few, many, atMost } of growths) {
  if (few === undefined || many === undefined || Number.isNaN(many)) continue;
  const line = `cost of ${what}: ${(few / many).toFixed(2)}, at most ${atMost}`;
  if (few / many <= atMost) console.info(line);
  else if (options.gate) failures.push(`gate ${line}`);
  else console.info(`${line}: missed`);
}
for (const failure of failures) console.error(`FAILED ${failure}`);
if (failures.length > 0) process.exitCode = 1;
