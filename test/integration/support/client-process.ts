// A client in a process of its own, with the stock `phoenix` client: `node client-process.ts '{"url": …}'`. It counts what
// arrives, checks the order and says so in lines of JSON; the test that started it reads them.
import { crc32 } from "node:zlib";
import { Socket } from "phoenix";
import { sendReceipts } from "sluice/client";
import type { ClientOptions, ClientReport } from "./client.ts";

const {
  url,
  topic,
  event = "push",
  params = {},
  receipts = false,
  stats: wantsStats = false,
  most = 0,
} = JSON.parse(process.argv[2] ?? "{}") as ClientOptions;

const reportMs = 50;

const seen = new Uint8Array(most + 1);
const report: { -readonly [K in keyof ClientReport]: ClientReport[K] } = {
  joins: 0,
  recent: [],
  refused: undefined,
  closes: 0,
  count: 0,
  distinct: 0,
  outOfOrder: 0,
  sum: 0,
  checksum: 0,
  last: undefined,
  latest: [],
  stats: undefined,
};
let changed = false;
let previous = 0;

/** A message that begins with a number is one of a sequence. */
function count(payload: { readonly data?: unknown }): void {
  changed = true;
  report.count++;
  report.last = payload;
  report.latest = [...report.latest.slice(most > 0 ? 0 : -99), ...(most > 0 ? [] : [payload])];
  const text = String(payload.data);
  const number = Number.parseInt(text, 10);
  if (Number.isNaN(number)) return;
  if (number !== previous + 1) report.outOfOrder++;
  previous = number;
  report.sum += number;
  report.checksum = crc32(`${text}\n`, report.checksum);
  if (seen[number] === 0) {
    seen[number] = 1;
    report.distinct++;
  }
}

const say = (): void => {
  if (!changed) return;
  changed = false;
  process.stdout.write(`${JSON.stringify(report)}\n`);
};
const ticking = setInterval(say, reportMs);
// Nobody listens any more.
process.stdout.on("error", () => process.exit());

const socket = new Socket(`${url.replace(/^http/, "ws")}/socket`, { params });
socket.onClose(() => {
  report.closes++;
  changed = true;
});
const channel = socket.channel(topic, params);
if (receipts) sendReceipts(channel);
channel.on(event, count);
channel
  .join()
  .receive("ok", (reply: { readonly "~"?: { readonly recent?: readonly unknown[] } }) => {
    report.joins++;
    report.recent = reply["~"]?.recent ?? [];
    changed = true;
  })
  .receive("error", ({ reason }: { readonly reason: string }) => {
    report.refused = reason;
    changed = true;
    say();
    clearInterval(ticking);
    socket.disconnect();
  });
if (wantsStats) {
  const stats = socket.channel("sluice:stats", params);
  stats.on("stats", (figures: ClientReport["stats"]) => {
    report.stats = figures;
    changed = true;
  });
  stats.join();
}
socket.connect();
