// What the small measurements share: percentiles, a collected heap, one line of JSON, and a gate.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the JavaScript heap that are still in use after two collections. */
export function liveHeapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** The value below which a share `p` of the values lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]!;
}

/** Three digits are all that a measurement of this kind carries. */
const short = (value: number): number => Number(value.toPrecision(4));

/**
 * Prints the figures as one line of JSON. With `--gate` on the command line the process fails unless each gated figure
 * lies within its limit.
 */
export function report(
  figures: Readonly<Record<string, number>>,
  gates: Readonly<Record<string, { readonly atMost?: number; readonly atLeast?: number }>>,
): void {
  const printed = Object.entries(figures).map(([name, value]) => [name, short(value)]);
  console.info(JSON.stringify({ ...Object.fromEntries(printed), node: process.version }));
  if (!process.argv.includes("--gate")) return;
  for (const [name, { atMost = Infinity, atLeast = -Infinity }] of Object.entries(gates)) {
    const value = figures[name];
    if (value !== undefined && value <= atMost && value >= atLeast) continue;
    console.error(
      `FAILED gate ${name}: ${value}, ${atMost < Infinity ? `at most ${atMost}` : `at least ${atLeast}`}`,
    );
    process.exitCode = 1;
  }
}
