// How long the engine keeps the thread while a pipeline is saturated: `npm run bench:turn -- [--gate]`.
import { currentSystem } from "sluice";
import { existsSync, openSync, readSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { percentile, report } from "./gauge.ts";
import { W2O } from "./sluice.ts";

const seconds = 5;
const timerMs = 5;

/** How long this thread was ready and had no processor, in ms so far; 0 where the kernel does not tell. */
function preemption(): () => number {
  const file = "/proc/self/schedstat";
  if (!existsSync(file)) return () => 0;
  const open = openSync(file, "r");
  const bytes = Buffer.alloc(128);
  return () =>
    Number(bytes.toString("latin1", 0, readSync(open, bytes, 0, 128, 0)).split(" ")[1]) / 1e6;
}

/** How late a timer rings, in ms, again and again for so many seconds. */
async function latenessFor(lasts: number): Promise<number[]> {
  const lateness: number[] = [];
  const end = performance.now() + lasts * 1_000;
  while (performance.now() < end) {
    const due = performance.now() + timerMs;
    await wait(timerMs);
    lateness.push(performance.now() - due);
  }
  return lateness;
}

const idle = await latenessFor(seconds / 2);
const { queue } = currentSystem();
const pipeline = await W2O(Number.MAX_SAFE_INTEGER);
void pipeline.run();
await wait(1_000);

const preempted = preemption();
const turns: number[] = [];
/** Turns without what a busy machine took away from them: the engine's own. */
const ownTurns: number[] = [];
let before = preempted();
queue.onDrain = (ms) => {
  const now = preempted();
  turns.push(ms);
  ownTurns.push(Math.max(ms - (now - before), 0));
  before = now;
};
const lateness = await latenessFor(seconds);
queue.onDrain = undefined;
await pipeline.stop?.();

const { budgetMs } = queue;
report(
  {
    budgetMs,
    turns: turns.length,
    turnP50Ms: percentile(turns, 0.5),
    turnP99Ms: percentile(turns, 0.99),
    turnMaxMs: percentile(turns, 1),
    ownTurnP50Ms: percentile(ownTurns, 0.5),
    ownTurnP99Ms: percentile(ownTurns, 0.99),
    preemptedMs: turns.reduce((sum, ms) => sum + ms, 0) - ownTurns.reduce((sum, ms) => sum + ms, 0),
    timers: lateness.length,
    timerLateIdleP50Ms: percentile(idle, 0.5),
    timerLateP50Ms: percentile(lateness, 0.5),
    timerLaterP50Ms: percentile(lateness, 0.5) - percentile(idle, 0.5),
    timerLateP99Ms: percentile(lateness, 0.99),
    timerLateMaxMs: percentile(lateness, 1),
  },
  { ownTurnP99Ms: { atMost: 1.2 * budgetMs }, timerLaterP50Ms: { atMost: 1.2 * budgetMs } },
);
