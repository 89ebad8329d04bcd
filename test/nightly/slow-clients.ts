// R67 at its full size: a part of `npm run test:nightly`. 100 of 1,000 clients do not keep up, for a minute: the others do not
// notice, and the server's memory stays flat.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { score } from "../scoreboard.ts";
import { slopeOf } from "../soak/slope.ts";
import { check } from "./support/check.ts";
import { CrowdedProcess } from "./support/crowded-process.ts";
import { percentile } from "./support/percentile.ts";
import type { ReadingOptions, ReadingReport } from "./support/reading-clients.ts";

const size = { fast: 900, strict: 50, lossy: 50, everyMs: 100, pictureBytes: 50_000 };
const seconds = { alone: 15, crowded: 60 };
const maxPendingMb = 1;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const program = join(import.meta.dirname, "support/reading-clients.ts");

/** Clients in a process of their own. */
class Readers implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(options: ReadingOptions) {
    this.#child = fork(program, [JSON.stringify(options)]);
  }

  async look(): Promise<ReadingReport> {
    const told = once(this.#child, "message") as Promise<[ReadingReport]>;
    this.#child.send("look");
    return (await told)[0];
  }

  /** Resolves when so many have joined. */
  async joined(count: number): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (let joined = 0; joined < count; { joined } = await this.look()) {
      if (performance.now() > deadline)
        throw new Error(`${joined} of ${count} clients have joined`);
      await pause(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, "exit");
  }
}

await using ends = new AsyncDisposableStack();
const server = ends.use(await CrowdedProcess.start({}));
const readers = (topic: ReadingOptions["topic"], count: number): Readers =>
  ends.use(new Readers({ url: server.url, topic, count }));
const fast = [readers("figures", size.fast / 2), readers("figures", size.fast / 2)];
for (const crowd of fast) await crowd.joined(size.fast / 2);
const late = async (): Promise<number[]> =>
  (await Promise.all(fast.map((crowd) => crowd.look()))).flatMap(({ lateMs }) => lateMs);

server.tell({ kind: "speak", everyMs: size.everyMs, bytes: size.pictureBytes });
await pause(5_000);
await late();
await pause(1_000 * seconds.alone);
const aloneMs = percentile(await late(), 0.99);
const { rssMb: before } = await server.look();

const [strict, lossy] = [readers("strict", size.strict), readers("lossy", size.lossy)];
await Promise.all([strict.joined(size.strict), lossy.joined(size.lossy)]);
await late();
const memory: [minutes: number, mb: number][] = [];
const began = performance.now();
while (performance.now() - began < 1_000 * seconds.crowded) {
  await pause(1_000);
  memory.push([(performance.now() - began) / 60_000, (await server.look()).rssMb]);
}
const reports = await Promise.all([...fast, strict, lossy].map((crowd) => crowd.look()));
const [one, other, ofStrict, ofLossy] = reports as [
  ReadingReport,
  ReadingReport,
  ReadingReport,
  ReadingReport,
];
const { closed } = await server.look();
const crowdedMs = percentile([...one.lateMs, ...other.lateMs], 0.99);
const mostMb = Math.max(...memory.map(([, mb]) => mb)) - before;
// The first half is for lines to fill.
const slope = slopeOf(memory.slice(Math.floor(memory.length / 2)));
score(
  "R67",
  `${size.strict + size.lossy} slow of ${size.fast + size.strict + size.lossy} clients, ${seconds.crowded} s`,
  `p99 of the fast ${aloneMs.toFixed(0)} ms alone, ${crowdedMs.toFixed(0)} ms beside them; ` +
    `memory ${mostMb.toFixed(0)} MB more at most, ${slope.toFixed(0)} MB/min; ` +
    `fast: ${one.heard + other.heard} heard, ${one.astray + other.astray} astray; ` +
    `slow: ${JSON.stringify(closed)} closed where they must miss nothing, ${ofStrict.heard} pictures seen; none where they may, ${ofLossy.heard} seen`,
);
check("R67", "slow clients", {
  "fast ones closed": [
    [one.closed, other.closed],
    [{}, {}],
  ],
  "astray of what the fast ones heard": [one.astray + other.astray, 0],
  "slow ones that must miss nothing are closed": [Object.keys(closed), ["4008"]],
  "slow ones that may miss something are not": [ofLossy.closed, {}],
  // What waits for them, what lines hold, and room for a heap that has not been collected.
  "memory is bounded": [mostMb < 2 * (size.strict + size.lossy) * maxPendingMb + 200, true],
  "memory is flat": [slope < 100, true],
  "the fast ones do not notice": [crowdedMs < 5 * aloneMs + 500, true],
});
