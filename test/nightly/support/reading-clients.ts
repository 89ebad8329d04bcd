// Clients that read, or clients that do not keep up: `node reading-clients.ts '{"url": …, "count": 100, "topic": "strict"}'`. Of
// figures they tell their parent what they heard, in which order and how late; of pictures they read
// one now and then, or, where they must miss nothing, none.
import { WebSocket } from "ws";

/** What they are to do. */
export interface ReadingOptions {
  readonly url: string;
  readonly count: number;
  readonly topic: "figures" | "strict" | "lossy";
}

/** What came of it. */
export interface ReadingReport {
  /** Joins that were answered. */
  readonly joined: number;
  /** Closes, by code. */
  readonly closed: Readonly<Record<string, number>>;
  readonly heard: number;
  /** Figures that did not follow on the one before. */
  readonly astray: number;
  /** Of figures, since it was asked last: how late they came. */
  readonly lateMs: readonly number[];
}

/** Between two pictures: a quarter of those that are shown. */
const lookMs = 400;
const { url, count, topic } = JSON.parse(process.argv[2] ?? "{}") as ReadingOptions;
const report = { joined: 0, closed: {} as Record<string, number>, heard: 0, astray: 0 };
let lateMs: number[] = [];
const join = JSON.stringify(["1", "1", topic, "phx_join", {}]);
const beat = JSON.stringify([null, "2", "phoenix", "heartbeat", {}]);

function come(): void {
  const ws = new WebSocket(`${url.replace("http", "ws")}/socket/websocket?vsn=2.0.0`);
  let last = 0;
  let isIn = false;
  ws.on("open", () => ws.send(join));
  ws.on("message", (data: Buffer) => {
    if (topic !== "figures" && isIn) {
      report.heard++;
      return ws.pause();
    }
    const [, , , event, payload] = JSON.parse(String(data)) as unknown[];
    if (event === "phx_reply" && !isIn) {
      isIn = true;
      report.joined++;
    }
    if (event !== "told") return;
    const { n, atMs } = payload as { readonly n: number; readonly atMs: number };
    if (last !== 0 && n !== last + 1) report.astray++;
    last = n;
    report.heard++;
    lateMs.push(performance.timeOrigin + performance.now() - atMs);
  });
  const beats = setInterval(() => ws.readyState === WebSocket.OPEN && ws.send(beat), 20_000);
  const looks = topic === "lossy" ? setInterval(() => ws.resume(), lookMs) : undefined;
  ws.on("error", () => {});
  ws.on("close", (code) => {
    clearInterval(beats);
    clearInterval(looks);
    report.closed[code] = (report.closed[code] ?? 0) + 1;
    setTimeout(come, 500);
  });
}

for (let n = 0; n < count; n++) come();
process.on("message", () => {
  process.send!({ ...report, lateMs } satisfies ReadingReport);
  lateMs = [];
});
process.on("disconnect", () => process.exit());
