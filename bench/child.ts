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
// The compiler has seen the same pipeline, just as large, before it is timed: once at least, and for half a second.
const warmUntil = performance.now() + 500;
do await measure(events);
while (performance.now() < warmUntil);
const { ms, cpuMs, sum } = await measure(events);
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
