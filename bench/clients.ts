// Memory of the server per joined client: `npm run bench:clients -- [--clients 10000] [--gate]`.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { report } from "./gauge.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "10000" },
    gate: { type: "boolean", default: false },
  },
});
const clients = Number(options.clients);
/** They are there before the first look at the memory, so that what only the first clients cost is not counted. */
const first = 500;

const entry = (name: string): string =>
  fileURLToPath(new URL(`clients/${name}.ts`, import.meta.url));

async function ask<T>(child: ChildProcess, question: unknown): Promise<T> {
  child.send(question as object);
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("a process of the measurement died"))),
  ])) as [T];
  return answer;
}

const server = fork(entry("server"), { execArgv: ["--expose-gc"] });
const load = fork(entry("load"));
try {
  const { port } = await ask<{ readonly port: number }>(server, "start");
  const memory = async (): Promise<{ readonly rss: number; readonly rssCollected: number }> => {
    await wait(1_000);
    return ask(server, "memory");
  };
  await ask(load, { port, clients: first });
  const before = await memory();
  const startedAt = performance.now();
  await ask(load, { port, clients });
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await memory();
  const { open } = await ask<{ readonly open: number }>(load, { port, clients: 0 });
  if (open !== first + clients) throw new Error(`${first + clients - open} clients were lost`);
  report(
    {
      clients,
      rssBytesPerClient: (after.rss - before.rss) / clients,
      collectedRssBytesPerClient: (after.rssCollected - before.rssCollected) / clients,
      joinsPerSecond: clients / seconds,
    },
    { rssBytesPerClient: { atMost: 16_000 } },
  );
} finally {
  server.kill("SIGKILL");
  load.kill("SIGKILL");
}
