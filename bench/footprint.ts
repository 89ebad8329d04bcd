// What an idle process costs, and how fast processes come and go: `npm run bench:footprint -- [--gate]`.
import { Process, start } from "sluice";
import type { Running } from "sluice";
import { liveHeapBytes, report } from "./gauge.ts";

class Idle extends Process {
  count = 0;
  add(n: number): void {
    this.count += n;
  }
}

const processes = 100_000;
const atOnce = 1_000;

async function startMany(count: number): Promise<Running<Idle>[]> {
  const started: Running<Idle>[] = [];
  while (started.length < count) {
    started.push(...(await Promise.all(Array.from({ length: atOnce }, () => start(Idle)))));
  }
  return started;
}

async function stopMany(running: Running<Idle>[]): Promise<void> {
  for (let from = 0; from < running.length; from += atOnce) {
    await Promise.all(running.slice(from, from + atOnce).map((process) => process.stop()));
  }
}

await stopMany(await startMany(20_000));

const before = liveHeapBytes();
const idle = await startMany(processes);
const heapBytesPerProcess = (liveHeapBytes() - before) / processes;
await stopMany(idle);
idle.length = 0;
const leftBytesPerProcess = (liveHeapBytes() - before) / processes;

const startedAt = performance.now();
for (let done = 0; done < processes; done += atOnce) await stopMany(await startMany(atOnce));
const startStopPerSecond = (processes / (performance.now() - startedAt)) * 1000;

const oneByOneAt = performance.now();
for (let done = 0; done < processes / 10; done++) await (await start(Idle)).stop();
const oneByOnePerSecond = (processes / 10 / (performance.now() - oneByOneAt)) * 1000;

report(
  { processes, heapBytesPerProcess, leftBytesPerProcess, startStopPerSecond, oneByOnePerSecond },
  { heapBytesPerProcess: { atMost: 1_000 }, startStopPerSecond: { atLeast: 300_000 } },
);
