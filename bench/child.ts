// One measurement: `node --expose-gc bench/child.ts <workload> <peer>` prints one line of JSON.
import { setImmediate as turn } from "node:timers/promises";
import { workloads } from "./workloads.ts";
import type { Bench, WorkloadName } from "./workloads.ts";

const [name, peer, count] = process.argv.slice(2) as [WorkloadName, string, string?];
const workload = workloads[name];
const file = peer === "sluice" ? "./sluice.ts" : `./peers/${peer}.ts`;
const bench = ((await import(file)) as Partial<Record<WorkloadName, Bench>>)[name];
if (bench === undefined) throw new Error(`${peer} has no ${name}`);

interface Measured {
  readonly ms: number;
  /** What of that this thread had a processor: the same on a busy machine. */
  readonly cpuMs: number;
  readonly sum: number;
}

async function measure(events: number): Promise<Measured> {
  const wired = await bench!(events);
  globalThis.gc?.();
  await turn();
  const before = process.threadCpuUsage();
  const startedAt = performance.now();
  const sum = await wired.run();
  const ms = performance.now() - startedAt;
  const { user, system } = process.threadCpuUsage(before);
  await wired.stop?.();
  return { ms, cpuMs: (user + system) / 1_000, sum };
}

const events = Number(count ?? workload.count);
const halfASecondMs = 500;

// The compiler has seen the same pipeline, just as large, before it is timed: once at least, and for half a second of what
// is timed. By the clock a busy machine, or one that takes long to wire up, would get less of it.
for (let warmMs = 0; warmMs < halfASecondMs;) warmMs += (await measure(events)).cpuMs;

// A young generation that grows asks the kernel for pages it has not given before, which costs as much as a short run.
// That happens once, at any moment: so a short run is made five times, and the one in the middle is taken.
const measured: Measured[] = [];
for (let spentMs = 0; measured.length < 5 && spentMs < halfASecondMs;) {
  const once = await measure(events);
  measured.push(once);
  spentMs += once.cpuMs;
}
measured.sort((a, b) => a.ms - b.ms);
const { ms, cpuMs, sum } = measured[measured.length >> 1]!;
if (measured.some((once) => once.sum !== sum)) throw new Error("its runs differ in their sums");
console.info(
  JSON.stringify({
    workload: name,
    peer,
    events,
    ms,
    cpuMs,
    perSecond: (events / ms) * 1000,
    sum,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
