// R77 at its full size: a part of `npm run test:nightly`. 2,000 stock clients, whose waits have no jitter, lose their server and
// come back to it at once.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { until } from "../cluster/node-process.ts";
import { score } from "../scoreboard.ts";
import { check } from "./support/check.ts";
import { CrowdedProcess } from "./support/crowded-process.ts";

const size = { clients: 2_000, processes: 4, connectionsPerSecond: 500 };
const limits = { connectionsPerSecond: size.connectionsPerSecond };
const patienceMs = 120_000;
const program = join(import.meta.dirname, "support/storm-clients.ts");

interface Told {
  readonly inside: number;
  readonly joins: number;
}

/** A share of the clients, in a process of their own. */
class Crowd implements AsyncDisposable {
  told: Told = { inside: 0, joins: 0 };
  readonly #child: ChildProcess;

  constructor(url: string) {
    const count = size.clients / size.processes;
    this.#child = fork(program, [url, String(count)]).on(
      "message",
      (told: Told) => (this.told = told),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, "exit");
  }
}

await using ends = new AsyncDisposableStack();
const before = ends.use(await CrowdedProcess.start({ limits }));
const crowds = Array.from({ length: size.processes }, () => ends.use(new Crowd(before.url)));
const inside = (): number => crowds.reduce((sum, { told }) => sum + told.inside, 0);
const joins = (): number => crowds.reduce((sum, { told }) => sum + told.joins, 0);
await until("that all are in", () => inside() === size.clients, patienceMs);

await before.kill();
await until("that all know", () => inside() === 0, patienceMs);
const joinsBefore = joins();
const after = ends.use(await CrowdedProcess.start({ port: before.port, limits }));
const began = performance.now();
await until("99 %", () => inside() >= 0.99 * size.clients, patienceMs);
const mostMs = performance.now() - began;
await until("that all are back", () => inside() === size.clients, patienceMs);
const allMs = performance.now() - began;
const { refused, closed, longestTurnMs } = await after.look();
score(
  "R77",
  `${size.clients} stock clients come back at once, ${size.connectionsPerSecond} may come per second`,
  `99 % back after ${mostMs.toFixed(0)} ms, all after ${allMs.toFixed(0)} ms; longest turn ${longestTurnMs.toFixed(0)} ms; ` +
    `refused ${JSON.stringify(refused)}, closed ${JSON.stringify(closed)}`,
);
check("R77", "a storm", {
  "joined again, each once": [joins() - joinsBefore, size.clients],
  "closed by the server": [closed, {}],
  // A second's worth may come at once.
  "let in by and by": [
    mostMs > (1_000 * (0.99 * size.clients)) / size.connectionsPerSecond - 1_000,
    true,
  ],
  "in reasonable time": [allMs < 60_000, true],
});
