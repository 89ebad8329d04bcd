// `npm run bench:fan-out -- [--only flood16,ask] [--peers sluice,ws] [--rounds 5] [--seed 1] [--gate]`: what a message to a
// browser costs the server, beside Socket.IO and plain `ws`; see docs/benchmarks.md.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { Bench, havePeers } from "./fan-out/bench.ts";
import { peers, type Peer } from "./fan-out/dialects.ts";
import { scenarios, type Figures } from "./fan-out/scenarios.ts";
import { markdown, median } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "string", default: "sluice,socket.io,ws" },
    rounds: { type: "string", default: "5" },
    seed: { type: "string" },
    gate: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));

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

havePeers();

const names = Object.keys(scenarios).filter(
  (name) => options.only?.split(",").includes(name) ?? true,
);
const chosen = peers.filter((peer) => options.peers.split(",").includes(peer));
interface Run {
  readonly round: number;
  readonly scenario: string;
  readonly peer: Peer;
  readonly figures: Figures;
}
const runs: Run[] = [];
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
        runs.push({ round, scenario, peer, figures: await scenarios[scenario]!(bench) });
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

/** Of each round, in which the peers run one behind the other: a machine is not the same a few minutes later. */
function ratioOf(
  scenario: string,
  peer: Peer,
  figure: string,
  ours: Peer = "sluice",
): number | undefined {
  const figureOf = (round: number, of: Peer): number | undefined =>
    runs.find((run) => run.round === round && run.scenario === scenario && run.peer === of)
      ?.figures[figure];
  const ratios = Array.from({ length: rounds }, (_, at) => {
    const [mine, theirs] = [figureOf(at + 1, ours), figureOf(at + 1, peer)];
    return mine === undefined || theirs === undefined ? [] : mine / theirs;
  }).flat();
  return ratios.length === 0 ? undefined : median(ratios);
}

const rows = [["scenario", "figure", ...chosen, "Sluice ÷ Socket.IO", "Sluice ÷ ws"]];
for (const scenario of names) {
  const figures = new Set(
    runs.filter((run) => run.scenario === scenario).flatMap((run) => Object.keys(run.figures)),
  );
  for (const figure of figures) {
    const values = chosen.map((peer) => medianOf(scenario, peer, figure));
    const ratio = (peer: Peer): string => ratioOf(scenario, peer, figure)?.toFixed(3) ?? "–";
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
/** @param floor what is left when an engine costs nothing, where that was measured */
function judge(
  what: string,
  value: number | undefined,
  gate: number,
  goal: number,
  floor?: number,
): void {
  const bare = floor === undefined ? "" : `, bare ${floor.toFixed(3)}`;
  const line = `${what}: ${value?.toFixed(3) ?? "not measured"}, at most ${gate} (goal ${goal}${bare})`;
  if (value !== undefined && value <= gate)
    console.info(`${line}: ${value <= goal ? "goal reached" : "held"}`);
  else if (options.gate) failures.push(`gate ${line}`);
  else console.info(`${line}: missed`);
}
for (const { scenario, figure, peer, gate, goal } of gates) {
  if (!names.includes(scenario) || !chosen.includes(peer) || !chosen.includes("sluice")) continue;
  const [value, floor] = [ratioOf(scenario, peer, figure), ratioOf(scenario, peer, figure, "bare")];
  judge(`${scenario}, ${figure}, Sluice ÷ ${peer}`, value, gate, goal, floor);
}
for (const { scenario, figure, gate, goal } of bounds)
  if (names.includes(scenario) && chosen.includes("sluice"))
    judge(`${scenario}, ${figure}`, medianOf(scenario, "sluice", figure), gate, goal);
for (const failure of failures) console.error(`FAILED ${failure}`);
if (failures.length > 0) process.exitCode = 1;
