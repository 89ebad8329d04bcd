// Where the time of one workload goes, by function: `npm run bench:profile -- W1O [peer] [--rounds 20]`.
import { Session } from "node:inspector/promises";
import type { HeapProfiler, Runtime } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { workloads } from "./workloads.ts";
import type { Bench, WorkloadName } from "./workloads.ts";

// The profiler counts what was compiled into a function as that function's own: so nothing is, and only the shares count.
setFlagsFromString("--no-turbo-inlining");
setFlagsFromString("--no-maglev-inlining");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "20" } },
});
const [name, peer = "sluice"] = positionals as [WorkloadName, string?];
const rounds = Number(values.rounds);
const { count, title } = workloads[name];
const file = peer === "sluice" ? "./sluice.ts" : `./peers/${peer}.ts`;
const bench = ((await import(file)) as Record<WorkloadName, Bench>)[name];

const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
const session = new Session();
session.connect();

/** Whose a function is: the workload's own, an engine's, or of those beneath. */
function owner({ functionName, url }: Runtime.CallFrame): string {
  if (functionName === "(garbage collector)") return "collector";
  if (/\/bench\/(sluice|workloads|peers\/[^/]*)\.ts$/.test(url)) return "workload";
  if (url === "") return "V8";
  return url.startsWith("node:") ? "Node" : "engine";
}

const byOwner = new Map<string, number>();
const byFunction = new Map<string, number>();

function add(place: Runtime.CallFrame, amount: number): void {
  const { functionName, url, lineNumber } = place;
  const whose = owner(place);
  const at = url === "" ? "" : ` ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
  const key = `${whose.padEnd(9)} ${functionName === "" ? "(anonymous)" : functionName}${at}`;
  byOwner.set(whose, (byOwner.get(whose) ?? 0) + amount);
  byFunction.set(key, (byFunction.get(key) ?? 0) + amount);
}

/** Prints shares of `perEvent`, or what was added per event, and forgets it. */
function print(what: string, perEvent?: number): void {
  const sum = [...byOwner.values()].reduce((a, b) => a + b, 0);
  const all = perEvent ?? sum / count / rounds;
  for (const amounts of [byOwner, byFunction]) {
    console.info(`\n${what} per event, ${all.toFixed(2)} in all`);
    for (const [key, amount] of [...amounts].toSorted((a, b) => b[1] - a[1]).slice(0, 16))
      console.info(`${((amount / sum) * all).toFixed(2).padStart(8)}  ${key}`);
    amounts.clear();
  }
}

/** Wires a pipeline up, lets all events through between `begin` and `end`, and takes it down. */
async function pass(begin?: () => unknown, end?: () => unknown): Promise<void> {
  const wired = await bench(count);
  await begin?.();
  await wired.run();
  await end?.();
  await wired.stop?.();
}

console.info(
  `${name}, ${peer}: ${title}; ${rounds} rounds of ${count.toLocaleString("en")} events`,
);
for (let warm = 0; warm < rounds; warm++) await pass();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 200 });
await session.post("Profiler.start");
/** When events flowed, and the processor time of the thread meanwhile. */
const flows: { fromUs: number; toUs: number; cpuUs: number }[] = [];
for (let round = 0; round < rounds; round++) {
  let fromUs = 0;
  let before = process.threadCpuUsage();
  const begin = (): void => {
    before = process.threadCpuUsage();
    fromUs = nowUs();
  };
  const end = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    flows.push({ fromUs, toUs: nowUs(), cpuUs: user + system });
  };
  await pass(begin, end);
}
const { startTime, nodes, samples, timeDeltas } = (await session.post("Profiler.stop")).profile;
const places = new Map(nodes.map((node) => [node.id, node.callFrame]));
let atUs = startTime;
for (const [index, id] of samples!.entries()) {
  atUs += timeDeltas![index]!;
  const place = places.get(id)!;
  // Samples are counted, not the time between them, in which the thread may have waited for a processor.
  const flowed = flows.some(({ fromUs, toUs }) => atUs >= fromUs && atUs <= toUs);
  if (flowed && place.functionName !== "(idle)") add(place, 1);
}
const cpuUs = flows.reduce((sum, flow) => sum + flow.cpuUs, 0);
print("ns of the thread", (cpuUs * 1_000) / count / rounds);

function addBytes({ selfSize, callFrame, children }: HeapProfiler.SamplingHeapProfileNode): void {
  if (selfSize > 0) add(callFrame, selfSize);
  for (const child of children) addBytes(child);
}
const collected = {
  samplingInterval: 16_384,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
};
for (let round = 0; round < rounds; round++)
  await pass(
    () => session.post("HeapProfiler.startSampling", collected),
    async () => addBytes((await session.post("HeapProfiler.stopSampling")).profile.head),
  );
print("bytes allocated");
