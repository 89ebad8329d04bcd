// One measurement: `node --expose-gc bench/child.ts <workload> <peer>` prints one line of JSON.
import { setImmediate as turn } from "node:timers/promises";
import { workloads } from "./workloads.ts";
import type { Bench, WorkloadName } from "./workloads.ts";

const [name, peer, count] = process.argv.slice(2) as [WorkloadName, string, string?];
const workload = workloads[name];
const file = peer === "sluice" ? "./sluice.ts" : `./peers/${peer}.ts`;
const bench = ((await import(file)) as Partial<Record<WorkloadName, Bench>>)[name];
if (bench === undefined) throw new Error(`${peer} has no ${name}`);

async function measure(events: number): Promise<{ readonly ms: number; readonly sum: number }> {
  const wired = await bench!(events);
  globalThis.gc?.();
  await turn();
  const startedAt = performance.now();
  const sum = await wired.run();
  const ms = performance.now() - startedAt;
  await wired.stop?.();
  return { ms, sum };
}

const events = Number(count ?? workload.count);
await measure(workload.warmUp);
const { ms, sum } = await measure(events);
console.info(
  JSON.stringify({
    workload: name,
    peer,
    events,
    ms,
    perSecond: (events / ms) * 1000,
    sum,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
