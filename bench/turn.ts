// How long the engine keeps the thread while a pipeline is saturated: `npm run bench:turn -- [--gate]`.
import { currentSystem } from "sluice";
import { setTimeout as wait } from "node:timers/promises";
import { percentile, report } from "./gauge.ts";
import { W2O } from "./sluice.ts";

const seconds = 5;
const timerMs = 5;

const { queue } = currentSystem();
const pipeline = await W2O(Number.MAX_SAFE_INTEGER);
void pipeline.run();
await wait(1_000);

const turns: number[] = [];
queue.onDrain = (ms) => void turns.push(ms);
const lateness: number[] = [];
const end = performance.now() + seconds * 1_000;
while (performance.now() < end) {
  const due = performance.now() + timerMs;
  await wait(timerMs);
  lateness.push(performance.now() - due);
}
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
    timers: lateness.length,
    timerLateP50Ms: percentile(lateness, 0.5),
    timerLateP99Ms: percentile(lateness, 0.99),
    timerLateMaxMs: percentile(lateness, 1),
  },
  { turnP99Ms: { atMost: 1.5 * budgetMs } },
);
