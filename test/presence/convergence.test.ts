import { expect, it } from "vitest";
import { attach } from "sluice/telemetry";
import { simulate } from "sluice/testing";
import { World, type Converged } from "./world.ts";

it(
  "nodes that come, go, crash, are cut off, and lose, double and reorder messages, see the same in the end, and so do their clients: no ghost, and nobody lost, in 500 seeds (R53)",
  { timeout: 120_000 },
  async () => {
    using _crashes = attach("sluice.log", () => {});
    const runs: Converged[] = [];
    const report = await simulate(
      async (simulation) => {
        runs.push(await new World(simulation).run(40));
      },
      { seeds: Number(process.env["SEEDS"] ?? 500), maxShrinks: 0 },
    );
    const beats = runs.map((run) => run.beats).toSorted((one, other) => one - other);
    const sum = (of: (run: Converged) => number): number =>
      runs.reduce((all, run) => all + of(run), 0);
    console.info(
      `${report.seeds} seeds, ${report.traces} distinct traces, ${sum(({ acts }) => acts)} acts, ${sum(({ carried }) => carried)} messages, ${sum(({ present }) => present)} presences in the end; beats to converge: median ${beats[beats.length >> 1]}, most ${beats.at(-1)}; gone at most ${Math.max(...runs.map(({ stopMs }) => stopMs))} ms after a stop, ${Math.max(...runs.map(({ killMs }) => killMs))} ms after a kill`,
    );
    expect(report.traces).toBe(report.seeds);
  },
);
