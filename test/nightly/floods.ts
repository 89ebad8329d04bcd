// R70 at its full size: a part of `npm run test:nightly`. Thousands of connections that begin nothing, finish nothing or join
// nothing, at a server with 256 files; then a server whose files are all in use. Who is there is served, others are refused.
import { connect, type Socket } from "node:net";
import { until } from "../cluster/node-process.ts";
import { rawClient, type RawClient } from "../integration/support/clients.ts";
import { upgradeRequest } from "../integration/support/raw-line.ts";
import { score } from "../scoreboard.ts";
import { check } from "./support/check.ts";
import { CrowdedProcess } from "./support/crowded-process.ts";
import { percentile } from "./support/percentile.ts";

const files = 256;
const floodMs = 20_000;
const size = { silent: 2_000, unfinished: 2_000, lurking: 2_000 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A client that was there before, and asks again and again what only a server with a file to spare can answer. */
class Regular {
  readonly tookMs: number[] = [];
  refused = 0;
  readonly #client: RawClient;
  readonly #over: Promise<void>;
  #isOver = false;

  constructor(client: RawClient) {
    this.#client = client;
    this.#over = this.#ask();
  }

  static async come(url: string): Promise<Regular> {
    const client = await rawClient(url);
    const [, , , , reply] = await client.ask(["1", "1", "figures", "phx_join", {}]);
    if ((reply as { readonly status: string }).status !== "ok") throw new Error("not joined");
    return new Regular(client);
  }

  get isThere(): boolean {
    return this.#client.close === undefined;
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#over;
    await this.#client[Symbol.asyncDispose]();
  }

  async #ask(): Promise<void> {
    for (let n = 1; !this.#isOver && this.isThere; n++) {
      const began = performance.now();
      this.#client.send(["1", String(n), "figures", "ask", { n }]);
      await until("an answer", () => this.#client.frames.length > 0 || !this.isThere, 30_000);
      const reply = this.#client.frames.shift()?.[4] as { readonly status: string } | undefined;
      if (reply?.status === "ok") this.tookMs.push(performance.now() - began);
      else this.refused++;
      await pause(100);
    }
  }
}

/** Lines to a server, each of which does what it does once and then waits; they come again as they are cut. */
class Flood {
  /** What was answered, by the first words. */
  readonly answers: Record<string, number> = {};
  made = 0;
  isOver = false;
  readonly #lines: Set<Socket> = new Set();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** So many lines at a time, made at a rate. */
  async pour(lines: number, text: string | undefined): Promise<void> {
    for (let n = 0; n < lines && !this.isOver; n++) {
      const line = connect(this.#port, "127.0.0.1").on("error", () => {});
      this.made++;
      this.#lines.add(line);
      line.once("data", (data) => {
        const status = String(data).slice(0, 12);
        this.answers[status] = (this.answers[status] ?? 0) + 1;
      });
      line.resume().once("close", () => this.#lines.delete(line));
      if (text !== undefined) line.write(text);
      // Of all three kinds, some 5,000 per second.
      if (n % 17 === 16) await pause(10);
    }
  }

  get open(): number {
    return this.#lines.size;
  }

  end(): void {
    this.isOver = true;
    for (const line of this.#lines) line.destroy();
  }
}

/** Somebody who tries until there is room. */
async function getIn(url: string): Promise<Regular> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await Regular.come(url);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(50);
    }
  }
}

/** Far more than there is room for. */
async function flood(): Promise<void> {
  await using server = await CrowdedProcess.start({
    files,
    limits: { joinWithinMs: 3_000, headersTimeoutMs: 2_000, requestTimeoutMs: 3_000 },
  });
  const regulars = await Promise.all(Array.from({ length: 20 }, () => Regular.come(server.url)));
  const flood = new Flood(server.port);
  const began = performance.now();
  let [mostFiles, longestTurnMs] = [0, 0];
  const watch = (async () => {
    while (!flood.isOver) {
      const figures = await server.look();
      mostFiles = Math.max(mostFiles, figures.openFiles ?? 0);
      longestTurnMs = Math.max(longestTurnMs, figures.longestTurnMs);
      await pause(100);
    }
  })();
  const lurking = upgradeRequest(server.url);
  while (performance.now() - began < floodMs)
    await Promise.all([
      flood.pour(size.silent, undefined),
      flood.pour(size.unfinished, "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: "),
      flood.pour(size.lurking, lurking),
    ]);
  // These ask, and so can be told.
  while (performance.now() - began < 1.5 * floodMs) await flood.pour(size.lurking, lurking);
  flood.end();
  await watch;
  const { refused } = await server.look();
  const over = performance.now();
  const late = await getIn(server.url);
  const wayInMs = performance.now() - over;
  const gone = regulars.filter(({ isThere }) => !isThere).length;
  await Promise.all(regulars.map((regular) => regular.leave()));
  await late.leave();
  const took = regulars.flatMap(({ tookMs }) => tookMs);
  const { made, answers } = flood;
  score(
    "R70",
    `${made} connections in ${((over - began) / 1_000).toFixed(0)} s at a server with ${files} files`,
    `open files at most ${mostFiles}; refused ${JSON.stringify(refused)}; answered ${JSON.stringify(answers)}; ` +
      `20 who were there: p99 ${percentile(took, 0.99).toFixed(0)} ms of ${took.length} answers; longest turn ${longestTurnMs.toFixed(0)} ms; a way in ${wayInMs.toFixed(0)} ms after it`,
  );
  check("R70", "a flood", {
    "files to spare": [mostFiles < files, true],
    "those who were there and were cut off": [gone, 0],
    "answers that failed": [regulars.reduce((sum, one) => sum + one.refused, 0), 0],
    "refused, and told": [(answers["HTTP/1.1 503"] ?? 0) > 0, true],
    "cut off for want of lines, and counted": [(refused["too many lines"] ?? 0) > 0, true],
  });
}

/** No file is left: Node closes whom it cannot accept. */
async function nothingLeft(): Promise<void> {
  await using server = await CrowdedProcess.start({ files });
  const regulars = await Promise.all(Array.from({ length: 20 }, () => rawClient(server.url)));
  const beat = async (client: RawClient, n: number): Promise<void> => {
    client.send([null, String(n), "phoenix", "heartbeat", {}]);
    await until("a heartbeat", () => client.frames.some(([, ref]) => ref === String(n)));
  };
  const hoarded = await server.hoard();
  const lines = Array.from({ length: 300 }, () =>
    connect(server.port, "127.0.0.1").on("error", () => {}),
  );
  for (const line of lines) line.resume().write(upgradeRequest(server.url));
  await until("that all others are cut off", () => lines.every(({ closed }) => closed), 30_000);
  for (let n = 0; n < 10; n++) await Promise.all(regulars.map((client) => beat(client, n)));
  server.tell({ kind: "release" });
  const released = performance.now();
  const late = await getIn(server.url);
  const wayInMs = performance.now() - released;
  await late.leave();
  const gone = regulars.filter(({ close }) => close !== undefined).length;
  for (const client of regulars) await client[Symbol.asyncDispose]();
  score(
    "R70",
    `a server whose ${files} files are all in use, ${hoarded} of them by itself`,
    `${lines.length} others cut off, 20 served on; a way in ${wayInMs.toFixed(0)} ms after there are files`,
  );
  check("R70", "no file left", { "those who were there and were cut off": [gone, 0] });
}

await flood();
await nothingLeft();
