// What is measured: each gives figures of one run.
import { setTimeout as wait } from "node:timers/promises";
import { percentile } from "../gauge.ts";
import type { Bench } from "./bench.ts";

/** A figure of one run; what it is and in what it is, the scenario says. */
export type Figures = Readonly<Record<string, number>>;

/** Microseconds of the server per delivery, and frames per write. */
async function flood(
  bench: Bench,
  clients: number,
  messages: number,
  window: number,
): Promise<Figures> {
  // The compiler has seen the code, and the line is warm.
  await bench.order({ kind: "flood", messages: Math.ceil(messages / 4), window });
  const deliveries = messages * clients;
  const { cpuMs, writes } = await bench.measured(deliveries, () =>
    bench.order({ kind: "flood", messages, window }),
  );
  return {
    "µs per delivery": (cpuMs * 1_000) / deliveries,
    "frames per write": deliveries / writes,
  };
}

/** Microseconds of the server per join, and memory per client, behind 500 for which the compiler has seen the code. */
export async function join(bench: Bench): Promise<Figures> {
  const clients = 9_500;
  await bench.up(500);
  const before = await bench.look();
  const { cpuMs, rssBytes } = await bench.measured(clients, () => bench.join(clients));
  return {
    "µs per join": (cpuMs * 1_000) / clients,
    "kB per client": (rssBytes - before.rssBytes) / clients / 1_000,
  };
}

export const scenarios: Readonly<Record<string, (bench: Bench) => Promise<Figures>>> = {
  flood1: async (bench) => {
    await bench.up(1_000);
    return flood(bench, 1_000, 300, 1);
  },
  flood16: async (bench) => {
    await bench.up(1_000);
    return flood(bench, 1_000, 1_600, 16);
  },
  flood10k: async (bench) => {
    const joined = await join(bench);
    await wait(1_000);
    return { ...joined, ...(await flood(bench, 10_000, 48, 4)) };
  },
  ask: async (bench) => {
    await bench.up(100);
    await bench.order({ kind: "ask", requests: 10_000 });
    const requests = 40_000;
    const { cpuMs } = await bench.measured(requests, () => bench.order({ kind: "ask", requests }));
    return { "µs per request": (cpuMs * 1_000) / requests };
  },
  tail: async (bench) => {
    await bench.up(5_000);
    const aside = bench.aside();
    await bench.join(10, aside);
    await bench.order({ kind: "flood", messages: 8, window: 4 });
    await bench.look("watch");
    const flooding = bench.order({ kind: "flood", messages: 160, window: 4 });
    const latencies: number[] = [];
    let goesOn = true;
    void flooding.then(() => (goesOn = false));
    while (goesOn) {
      const { latenciesMs = [] } = await bench.order({ kind: "ask", requests: 10 }, aside);
      latencies.push(...latenciesMs);
    }
    await flooding;
    const { mostWrites } = await bench.look();
    return {
      "ms to a reply, p99": percentile(latencies, 0.99),
      "writes between polls": mostWrites,
    };
  },
};
