// What telemetry costs on the way of the events: `npm run bench:telemetry -- [--gate]`. Each run is a fresh process, with
// a listener on every event of Sluice, or without; medians of interleaved pairs, by the time
// for which the thread had a processor.
import { spawnSync } from "node:child_process";
import { attach } from "sluice/telemetry";
import { everyEvent } from "../test/support/telemetry-events.ts";
import { percentile, report } from "./gauge.ts";
import { W1O, W2O, W6 } from "./sluice.ts";

const benches = { W1O, W2O, W6 } as const;
type Name = keyof typeof benches;
const sizes: Readonly<Record<Name, number>> = { W1O: 30_000_000, W2O: 20_000_000, W6: 5_000_000 };
const pairs = 9;

async function timed(name: Name, count: number): Promise<number> {
  const wired = await benches[name](count);
  const before = process.threadCpuUsage();
  await wired.run();
  const { user, system } = process.threadCpuUsage(before);
  await wired.stop?.();
  return (user + system) / 1_000;
}

async function child(name: Name, isAttached: boolean): Promise<void> {
  let heard = 0;
  if (isAttached) {
    for (const event of everyEvent)
      attach(event, (measurement) => {
        if (typeof measurement === "object") heard++;
      });
  }
  await timed(name, sizes[name] / 4);
  console.info(JSON.stringify({ cpuMs: await timed(name, sizes[name]), heard }));
  process.exit();
}

function measured(name: Name, mode: "attached" | "detached"): number {
  const args = [...process.execArgv, import.meta.filename, name, mode];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const { cpuMs, heard } = JSON.parse(stdout) as { cpuMs: number; heard: number };
  if (heard > 0 !== (mode === "attached")) throw new Error(`${heard} events were heard`);
  return cpuMs;
}

const [name, mode] = process.argv.slice(2);
if (name !== undefined && name in benches) await child(name as Name, mode === "attached");
else {
  const slower: Record<string, number> = {};
  for (const each of Object.keys(benches) as Name[]) {
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const first = measured(each, pair % 2 === 0 ? "attached" : "detached");
      const second = measured(each, pair % 2 === 0 ? "detached" : "attached");
      const ratio = first / second;
      ratios.push(pair % 2 === 0 ? ratio : 1 / ratio);
    }
    slower[`${each}Slower`] = percentile(ratios, 0.5) - 1;
  }
  report(
    slower,
    Object.fromEntries(Object.keys(slower).map((figure) => [figure, { atMost: 0.15 }])),
  );
}
