// `seq 1 N | sluice pipe --wait-for 2` with two stock clients in processes of their own, at two values of N: peak memory
// of the server, and lines per second: `npm run bench:pipe -- [--lines 1000000,5000000] [--concurrency 1] [--gate]`.
// Linux only: the peak is read from /proc.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startClient } from "../test/integration/support/client.ts";
import { makePipe, startSluice } from "../test/integration/support/sluice.ts";
import { report } from "./gauge.ts";

const { values: options } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000,5000000" },
    concurrency: { type: "string", default: "1" },
    gate: { type: "boolean", default: false },
  },
});
const { concurrency } = options;
const [few = 0, many = 0] = options.lines.split(",").map(Number);
/** Longer than the slowest machine that is worth measuring takes. */
const patienceMs = 600_000;

function peakRssBytes(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1_024;
}

interface Measured {
  readonly peakRssBytes: number;
  readonly linesPerSecond: number;
}

async function measure(lines: number): Promise<Measured> {
  using pipe = makePipe();
  spawn("seq", ["1", String(lines)], { stdio: ["ignore", pipe.write, "inherit"] });
  const args = ["--topic", "t:1", "--port", "0", "--wait-for", "2", "--concurrency", concurrency];
  await using sluice = startSluice(["pipe", ...args], { stdin: pipe.read });
  pipe.hand();
  const url = await sluice.url();
  await using first = startClient({ url, topic: "t:1", most: lines });
  await using second = startClient({ url, topic: "t:1", most: lines });
  await Promise.all([first.received(1), second.received(1)]);
  const startedAt = performance.now();
  const clients = await Promise.all([
    first.received(lines, patienceMs),
    second.received(lines, patienceMs),
  ]);
  const seconds = (performance.now() - startedAt) / 1_000;
  const sum = (lines * (lines + 1)) / 2;
  for (const client of clients) {
    const { count, distinct, outOfOrder, checksum } = client;
    console.info(JSON.stringify({ lines, count, distinct, outOfOrder, sum: client.sum, checksum }));
    if (count !== lines || distinct !== lines || client.sum !== sum)
      throw new Error("a client has not received each line once");
    if (concurrency === "1" && outOfOrder > 0) throw new Error("lines came out of order");
  }
  const measured = {
    peakRssBytes: peakRssBytes(sluice.child.pid!),
    linesPerSecond: lines / seconds,
  };
  sluice.signal("SIGINT");
  await sluice.exited;
  return measured;
}

const atFew = await measure(few);
const atMany = await measure(many);
report(
  {
    concurrency: Number(concurrency),
    [`linesPerSecond(${few})`]: atFew.linesPerSecond,
    [`linesPerSecond(${many})`]: atMany.linesPerSecond,
    [`peakRssBytes(${few})`]: atFew.peakRssBytes,
    [`peakRssBytes(${many})`]: atMany.peakRssBytes,
    peakRssRatio: atMany.peakRssBytes / atFew.peakRssBytes,
  },
  { peakRssRatio: { atMost: 1.15 } },
);
