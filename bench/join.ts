// `npm run bench:join -- [--clients 9500]`: what the processor time of a join goes to, in the server of the fan-out bench.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Profiler } from "node:inspector";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Accounts } from "./fan-out/accounts.ts";
import type { Order } from "./fan-out/load.ts";
import { markdown } from "./table.ts";

const { values: options } = parseArgs({
  options: { clients: { type: "string", default: "9500" } },
});
const clients = Number(options.clients);
/** They are there before, so that the compiler has seen the code. */
const first = 500;

function start(file: string, core: number): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: [] });
  spawnSync("taskset", ["-a", "-cp", String(core), String(child.pid)]);
  return child;
}

async function ask<T>(child: ChildProcess, question?: string | Order): Promise<T> {
  if (question !== undefined) child.send(question);
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("a process of the measurement died"))),
  ])) as [T];
  return answer;
}

/** Whose a function is, by where it stands; the first that matches. */
const areas: readonly (readonly [area: string, name: RegExp, url: RegExp])[] = [
  ["the kernel: writes", /^(?:write(?:Utf8|Latin1)String|writeBuffer|writev)$/, /^$/],
  ["the kernel: accepting, reading; the HTTP parser (native)", /^\(program\)$/, /^$/],
  ["the kernel: who connects", /^_getpeername$|^Socket\._getpeername$/, /^node:/],
  ["the collector, on the main thread", /^\(garbage collector\)$/, /^$/],
  ["Node: HTTP", /./, /^node:_http/],
  [
    "Node: sockets and streams",
    /./,
    /^node:(?:net|events|internal\/streams|internal\/stream_base|internal\/buffer|buffer)/,
  ],
  ["Node: the rest", /./, /^node:/],
  ["JavaScript's own functions", /./, /^$/],
  ["Sluice: checks (channels/admission)", /./, /\/channels\/admission\//],
  ["Sluice: upgrade and line (channels/transport)", /./, /\/channels\/transport\//],
  ["Sluice: the wire (channels/wire)", /./, /\/channels\/wire\//],
  ["Sluice: socket and channel (the rest of channels)", /./, /\/channels\//],
  ["Sluice: processes and the run queue", /./, /\/dist\/(?:process|runtime|support)\//],
  ["Sluice: the rest", /./, /\/dist\//],
];
const isIdle = (name: string): boolean => name === "(idle)" || name === "(root)";

const server = start("fan-out/sluice-server.ts", 0);
const load = start("fan-out/load.ts", 1);
try {
  const { port } = await ask<{ readonly port: number }>(server);
  const join = (count: number): Promise<unknown> =>
    ask(load, { kind: "join", peer: "sluice", port, clients: count });
  await join(first);
  await ask(server, "profile");
  await ask(server, "look");
  await join(clients);
  const { cpuMs } = await ask<Accounts>(server, "look");
  const { nodes, samples = [], timeDeltas = [] } = await ask<Profiler.Profile>(server, "profile");
  const places = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const microseconds = new Map<string, number>();
  let sum = 0;
  for (const [at, id] of samples.entries()) {
    const { functionName, url } = places.get(id)!;
    if (isIdle(functionName)) continue;
    const found = areas.find(([, name, where]) => name.test(functionName) && where.test(url));
    const area = found?.[0] ?? "the rest";
    sum += timeDeltas[at]!;
    microseconds.set(area, (microseconds.get(area) ?? 0) + timeDeltas[at]!);
  }
  const rows = [...microseconds]
    .toSorted(([, a], [, b]) => b - a)
    .map(([area, spent]) => [
      area,
      (spent / clients).toFixed(1),
      `${((spent / sum) * 100).toFixed(0)} %`,
    ]);
  console.info(markdown([["where", "µs per join", "of the thread"], ...rows]));
  console.info(
    `Node ${process.version}; ${clients} joins behind ${first}; main thread ${(sum / clients).toFixed(0)} µs per join, as it was profiled; ` +
      `all threads ${((cpuMs * 1_000) / clients).toFixed(0)} µs of processor time, the compiler's and the collector's included`,
  );
} finally {
  server.kill("SIGKILL");
  load.kill("SIGKILL");
}
