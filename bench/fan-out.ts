// `npm run bench:fan-out -- [--only flood16,ask] [--peers sluice,ws] [--rounds 5] [--seed 1] [--gate]`: what a message to a
// browser costs the server, beside Socket.IO and plain `ws`; see docs/benchmarks.md.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Accounts } from "./fan-out/accounts.ts";
import { peers, type Peer } from "./fan-out/dialects.ts";
import type { Order, Outcome } from "./fan-out/load.ts";
import { percentile } from "./gauge.ts";
import { markdown, median } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    seed: { type: "string" },
    gate: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A figure of one run; what it is and in what it is, the scenario says. */
type Figures = Readonly<Record<string, number>>;

/** A server in a process of its own, on one core, and the clients on the other. */
class Bench implements Disposable {
  readonly #children: ChildProcess[] = [];
  readonly #peer: Peer;
  readonly #server: ChildProcess;
  readonly #load: ChildProcess;
  #port = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
    const file = {
      sluice: "fan-out/sluice-server.ts",
      "socket.io": "peers/socket-io-server.ts",
      ws: "peers/ws-server.ts",
    }[peer];
    this.#server = this.#start(file, 0);
    this.#load = this.#start("fan-out/load.ts", 1);
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  /** Another load, for clients whose time must not depend on how much the others have to read. */
  aside(): ChildProcess {
    return this.#start("fan-out/load.ts", 1);
  }

  async up(clients: number): Promise<Accounts> {
    const [{ port }] = (await this.#answer(this.#server)) as [{ readonly port: number }];
    this.#port = port;
    await this.look();
    await this.join(clients);
    return this.look();
  }

  join(clients: number, load: ChildProcess = this.#load): Promise<Outcome> {
    return this.order({ kind: "join", peer: this.#peer, port: this.#port, clients }, load);
  }

  async order(order: Order, load: ChildProcess = this.#load): Promise<Outcome> {
    load.send(order);
    const [outcome] = (await this.#answer(load)) as [Outcome];
    return outcome;
  }

  /** The server's accounts since the last look. */
  async look(question: "look" | "watch" = "look"): Promise<Accounts> {
    this.#server.send(question);
    const [accounts] = (await this.#answer(this.#server)) as [Accounts];
    return accounts;
  }

  async #answer(child: ChildProcess): Promise<unknown[]> {
    const end = new AbortController();
    try {
      return (await Promise.race([
        once(child, "message", { signal: end.signal }),
        ...this.#children.map((one) =>
          once(one, "exit", { signal: end.signal }).then((): never => {
            throw new Error("a process of the measurement died");
          }),
        ),
        wait(120_000, undefined, { signal: end.signal, ref: false }).then((): never => {
          throw new Error("no answer within 120 s");
        }),
      ])) as unknown[];
    } finally {
      end.abort();
    }
  }

  #start(file: string, core: number): ChildProcess {
    const child = fork(here(file), { execArgv: [] });
    this.#children.push(child);
    const { status } = spawnSync("taskset", ["-a", "-cp", String(core), String(child.pid)]);
    if (status !== 0)
      throw new Error("`taskset` is needed, to give server and clients a core each");
    return child;
  }
}

/** Microseconds of the server per delivery, and frames per write. */
async function flood(
  bench: Bench,
  clients: number,
  messages: number,
  window: number,
): Promise<Figures> {
  // The compiler has seen the code, and the line is warm.
  await bench.order({ kind: "flood", messages: Math.ceil(messages / 4), window });
  await bench.look();
  await bench.order({ kind: "flood", messages, window });
  const { cpuMs, writes } = await bench.look();
  const deliveries = messages * clients;
  return {
    "µs per delivery": (cpuMs * 1_000) / deliveries,
    "frames per write": deliveries / writes,
  };
}

const scenarios: Readonly<Record<string, (bench: Bench) => Promise<Figures>>> = {
  flood1: async (bench) => {
    await bench.up(1_000);
    return flood(bench, 1_000, 300, 1);
  },
  flood16: async (bench) => {
    await bench.up(1_000);
    return flood(bench, 1_000, 1_600, 16);
  },
  flood10k: async (bench) => {
    await bench.up(500);
    const before = await bench.look();
    await bench.join(9_500);
    const { cpuMs, rssBytes } = await bench.look();
    const perClient = { "µs per join": (cpuMs * 1_000) / 9_500 };
    await wait(1_000);
    const memory = { "kB per client": (rssBytes - before.rssBytes) / 9_500 / 1_000 };
    return { ...perClient, ...memory, ...(await flood(bench, 10_000, 48, 4)) };
  },
  ask: async (bench) => {
    await bench.up(100);
    await bench.order({ kind: "ask", requests: 10_000 });
    await bench.look();
    const requests = 40_000;
    await bench.order({ kind: "ask", requests });
    return { "µs per request": ((await bench.look()).cpuMs * 1_000) / requests };
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

/** A figure of Sluice over that of a peer, at most. */
const gates = [
  { scenario: "flood1", figure: "µs per delivery", peer: "socket.io", gate: 0.75, goal: 0.6 },
  { scenario: "flood1", figure: "µs per delivery", peer: "ws", gate: 0.9, goal: 0.75 },
  { scenario: "flood16", figure: "µs per delivery", peer: "socket.io", gate: 0.1, goal: 0.05 },
  { scenario: "flood10k", figure: "µs per delivery", peer: "socket.io", gate: 0.75, goal: 0.6 },
  { scenario: "ask", figure: "µs per request", peer: "socket.io", gate: 1, goal: 0.75 },
  { scenario: "flood10k", figure: "µs per join", peer: "socket.io", gate: 0.5, goal: 0.3 },
  { scenario: "tail", figure: "ms to a reply, p99", peer: "socket.io", gate: 0.5, goal: 0.5 },
] as const;
/** Figures of Sluice alone. */
const bounds = [
  { scenario: "flood10k", figure: "kB per client", gate: 12, goal: 9 },
  { scenario: "tail", figure: "writes between polls", gate: 2_000, goal: 2_000 },
] as const;

if (!existsSync(here("peers/node_modules/socket.io")))
  spawnSync("npm", ["install"], { cwd: here("peers"), stdio: "inherit" });

const names = Object.keys(scenarios).filter(
  (name) => options.only?.split(",").includes(name) ?? true,
);
const chosen = peers.filter((peer) => options.peers?.split(",").includes(peer) ?? true);
const runs: { readonly scenario: string; readonly peer: Peer; readonly figures: Figures }[] = [];
const failures: string[] = [];
const loadBefore = loadavg()[0]!;
let state = seed;
for (let round = 1; round <= rounds; round++) {
  for (const scenario of names) {
    // The order of the peers is another in each round.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const turn = state % chosen.length;
    for (const peer of [...chosen.slice(turn), ...chosen.slice(0, turn)]) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${round} ${scenario} ${peer}`);
      using bench = new Bench(peer);
      try {
        runs.push({ scenario, peer, figures: await scenarios[scenario]!(bench) });
      } catch (error) {
        failures.push(`${scenario} ${peer}, round ${round}: ${String(error)}`);
      }
    }
  }
}
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");

function medianOf(scenario: string, peer: Peer, figure: string): number | undefined {
  const values = runs.flatMap((run) =>
    run.scenario === scenario && run.peer === peer ? (run.figures[figure] ?? []) : [],
  );
  return values.length === 0 ? undefined : median(values);
}

const rows = [["scenario", "figure", ...chosen, "Sluice ÷ Socket.IO", "Sluice ÷ ws"]];
for (const scenario of names) {
  const figures = new Set(
    runs.filter((run) => run.scenario === scenario).flatMap((run) => Object.keys(run.figures)),
  );
  for (const figure of figures) {
    const values = chosen.map((peer) => medianOf(scenario, peer, figure));
    const ours = medianOf(scenario, "sluice", figure);
    const ratio = (peer: Peer): string => {
      const theirs = medianOf(scenario, peer, figure);
      return ours === undefined || theirs === undefined ? "–" : (ours / theirs).toFixed(3);
    };
    rows.push([
      scenario,
      figure,
      ...values.map((value) => value?.toPrecision(3) ?? "–"),
      ratio("socket.io"),
      ratio("ws"),
    ]);
  }
}
console.info(markdown(rows));
console.info(
  `Node ${process.version}; ${rounds} rounds, seed ${seed}, ${runs.length} runs; load average ${loadBefore.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after`,
);
console.info(
  "flood1, flood16: 1,000 clients, one topic, 1 and 16 messages of 100 bytes at once; flood10k: 10,000 clients, 4 at once; " +
    "ask: 100 clients, one request each at a time; tail: 5,000 clients, 4 at once, 10 more that ask.",
);
const judge = (what: string, value: number | undefined, gate: number, goal: number): void => {
  const line = `${what}: ${value?.toFixed(3) ?? "not measured"}, at most ${gate} (goal ${goal})`;
  if (value !== undefined && value <= gate)
    console.info(`${line}: ${value <= goal ? "goal reached" : "held"}`);
  else if (options.gate) failures.push(`gate ${line}`);
  else console.info(`${line}: missed`);
};
for (const { scenario, figure, peer, gate, goal } of gates) {
  if (!names.includes(scenario) || !chosen.includes(peer) || !chosen.includes("sluice")) continue;
  const [ours, theirs] = [medianOf(scenario, "sluice", figure), medianOf(scenario, peer, figure)];
  const value = ours === undefined || theirs === undefined ? undefined : ours / theirs;
  judge(`${scenario}, ${figure}, Sluice ÷ ${peer}`, value, gate, goal);
}
for (const { scenario, figure, gate, goal } of bounds)
  if (names.includes(scenario) && chosen.includes("sluice"))
    judge(`${scenario}, ${figure}`, medianOf(scenario, "sluice", figure), gate, goal);
for (const failure of failures) console.error(`FAILED ${failure}`);
if (failures.length > 0) process.exitCode = 1;
