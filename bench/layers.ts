// `npm run bench:layers -- flood1|flood16|ask|join [--peer ws] [--rounds 3]`: what the processor time of a scenario of
// `bench:fan-out` goes to, in its server.
import { parseArgs } from "node:util";
import { Bench, havePeers, type Measured } from "./fan-out/bench.ts";
import { peers } from "./fan-out/dialects.ts";
import { join, scenarios } from "./fan-out/scenarios.ts";
import { markdown } from "./table.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: "string", default: "sluice" },
    rounds: { type: "string", default: "3" },
  },
});
const profiled = { ...scenarios, join };
const [name = "join"] = positionals;
const scenario = profiled[name as keyof typeof profiled];
const peer = peers.find((one) => one === options.peer);
const rounds = Number(options.rounds);
if (scenario === undefined) throw new Error(`${name}: one of ${Object.keys(profiled).join(", ")}`);
if (peer === undefined) throw new Error(`${options.peer}: one of ${peers.join(", ")}`);

const node = /^node:/;
const kernel = "the kernel, and what of Node is native";
const beneath = "beneath: the kernel and Node";
const own = "the server's own";

/** Whose a function is, by its name and where it stands, and what that counts for; the first that matches. */
const areas: readonly (readonly [area: string, name: RegExp, url: RegExp, sum?: string])[] = [
  ["the kernel: writes", /^(?:write(?:Utf8|Latin1)String|writeBuffer|writev)$/, /^$/, beneath],
  [`${kernel}: accepting, reading, the HTTP parser`, /^\(program\)$/, /^$/, beneath],
  ["the kernel: who connects", /^_?getpeername$|^Socket\._getpeername$/, /^$|^node:/, own],
  ["the collector, on the main thread", /^\(garbage collector\)$/, /^$/],
  ["Node: HTTP", /./, /^node:_http/, beneath],
  [
    "Node: sockets and streams",
    /./,
    /^node:(?:net|events|internal\/streams|internal\/stream_base|internal\/buffer|buffer)/,
    beneath,
  ],
  ["Node: the rest", /./, node, beneath],
  ["JavaScript's own functions", /./, /^$/],
  ["Sluice: checks (channels/admission)", /./, /\/channels\/admission\//, own],
  ["Sluice: upgrade and line (channels/transport)", /./, /\/channels\/transport\//, own],
  ["Sluice: the wire (channels/wire)", /./, /\/channels\/wire\//, own],
  ["Sluice: from a broadcast to sockets (channels/fan-out)", /./, /\/channels\/fan-out\//, own],
  ["Sluice: socket and channel (the rest of channels)", /./, /\/channels\//, own],
  ["Sluice: processes and the run queue", /./, /\/dist\/(?:process|runtime|support)\//, own],
  ["Sluice: the rest", /./, /\/dist\//, own],
  [`${peer}: its package`, /./, /\/node_modules\//, own],
  ["the words of the workload", /./, /\/bench\//],
];

/** Adds what a profile says to microseconds by area; of what the thread did nothing in, nothing. */
function add({ profile }: Measured, to: Map<string, number>, sums: Map<string, number>): void {
  const { nodes, samples = [], timeDeltas = [] } = profile!;
  const places = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  for (const [at, id] of samples.entries()) {
    const { functionName, url } = places.get(id)!;
    // The profiler's own start is long, and none of the scenario.
    if (/^\((?:idle|root)\)$/.test(functionName) || url.startsWith("node:inspector")) continue;
    const found = areas.find(([, name, where]) => name.test(functionName) && where.test(url));
    const area = found?.[0] ?? "the rest";
    const sum = found?.[3] ?? "neither";
    to.set(area, (to.get(area) ?? 0) + timeDeltas[at]!);
    sums.set(sum, (sums.get(sum) ?? 0) + timeDeltas[at]!);
  }
}

havePeers();
const microseconds = new Map<string, number>();
const sums = new Map<string, number>();
let units = 0;
let cpuMs = 0;
for (let round = 0; round < rounds; round++) {
  using bench = new Bench(peer, true);
  await scenario(bench);
  const { first } = bench;
  add(first!, microseconds, sums);
  units += first!.units;
  cpuMs += first!.accounts.cpuMs;
}
const all = [...microseconds.values()].reduce((sum, one) => sum + one, 0);
const row = ([area, spent]: readonly [string, number]): string[] => [
  area,
  (spent / units).toPrecision(3),
  `${((spent / all) * 100).toFixed(0)} %`,
];
const sorted = (of: ReadonlyMap<string, number>): [string, number][] =>
  [...of].toSorted(([, a], [, b]) => b - a);
const head = ["where", "µs each", "of the thread"];
console.info(markdown([head, ...sorted(microseconds).map(row)]));
console.info(markdown([["in all", ...head.slice(1)], ...sorted(sums).map(row)]));
console.info(
  `${name}, ${peer}, Node ${process.version}; ${rounds} rounds, ${units.toLocaleString("en")} in all; main thread ${(all / units).toFixed(1)} µs each, as it was ` +
    `profiled; all threads ${((cpuMs * 1_000) / units).toFixed(1)} µs of processor time, the compiler's and the collector's included`,
);
