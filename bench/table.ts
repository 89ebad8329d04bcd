// From raw results to what is printed.
import { withBackPressure, workloads } from "./workloads.ts";
import type { PeerName, WorkloadName } from "./workloads.ts";

/** The line that a child prints, with the round it ran in. */
export interface Result {
  readonly workload: WorkloadName;
  readonly peer: PeerName;
  readonly round: number;
  readonly events: number;
  readonly ms: number;
  /** Processor time of the thread that runs the pipeline. */
  readonly cpuMs: number;
  readonly perSecond: number;
  readonly sum: number;
  readonly peakRssBytes: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median events per second of one peer in one workload; `undefined` if it did not run. */
export function medianRate(
  results: readonly Result[],
  workload: WorkloadName,
  peer: PeerName,
): number | undefined {
  const rates = results
    .filter((result) => result.workload === workload && result.peer === peer)
    .map((result) => result.perSecond);
  return rates.length === 0 ? undefined : median(rates);
}

/** Sluice's median over that of `peer`. */
export function ratio(
  results: readonly Result[],
  workload: WorkloadName,
  peer: PeerName,
): number | undefined {
  const ours = medianRate(results, workload, "sluice");
  const theirs = medianRate(results, workload, peer);
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

const millions = (perSecond: number): string => `${(perSecond / 1e6).toPrecision(3)} M`;
const times = (value: number | undefined): string =>
  value === undefined ? "–" : `${value.toFixed(2)} ×`;

/** Rows of a Markdown table, padded so that it reads well in a terminal too. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`,
  );
  lines.splice(1, 0, `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  return lines.join("\n");
}

/** One row per workload and peer, fastest first; Sluice's row has the ratio to the best peer with back-pressure. */
export function table(results: readonly Result[], names: readonly WorkloadName[]): string {
  const rows: string[][] = [
    [
      "workload",
      "peer",
      "back-pressure",
      "events/s, median",
      "min … max",
      "Sluice ÷ peer",
      "thread ns/event",
      "peak RSS",
    ],
  ];
  for (const workload of names) {
    const peers = workloads[workload].peers.filter(
      (peer) => medianRate(results, workload, peer) !== undefined,
    );
    const rate = (peer: PeerName): number => medianRate(results, workload, peer)!;
    const [best] = peers
      .filter((peer) => withBackPressure.has(peer))
      .toSorted((a, b) => rate(b) - rate(a));
    for (const peer of peers.toSorted((a, b) => rate(b) - rate(a))) {
      const runs = results.filter((result) => result.workload === workload && result.peer === peer);
      const rates = runs.map((run) => run.perSecond);
      rows.push([
        workload,
        peer === "sluice" ? "**sluice**" : peer,
        peer === "sluice" || withBackPressure.has(peer) ? "yes" : "no",
        millions(rate(peer)),
        `${millions(Math.min(...rates))} … ${millions(Math.max(...rates))}`,
        peer === "sluice"
          ? best === undefined
            ? ""
            : `**${times(ratio(results, workload, best))}** ${best}`
          : times(ratio(results, workload, peer)),
        median(runs.map(({ cpuMs, events }) => (cpuMs * 1e6) / events)).toPrecision(3),
        `${Math.round(median(runs.map((run) => run.peakRssBytes)) / 1e6)} MB`,
      ]);
    }
  }
  return markdown(rows);
}
