import type { DeliveryFigures } from "../delivery/index.ts";
import type { Stats } from "./stats.ts";
import type { Tally } from "./tally.ts";

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const ms = (value: number | undefined): string =>
  value === undefined ? "–" : `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;

/** One line while it runs. */
export function progressLine({
  received,
  delivered,
  clients,
  rate,
  dropped,
  latency,
}: Stats): string {
  const lost = dropped > 0 ? `, ${whole(dropped)} dropped` : "";
  return `${whole(received)} received, ${whole(delivered)} delivered to ${clients} ${clients === 1 ? "client" : "clients"}${lost}, ${whole(rate)}/s, p50 ${ms(latency.p50Ms)}, p99 ${ms(latency.p99Ms)}`;
}

/** Events that came, and were neither delivered nor counted as lost: the end came before. */
export function leftBehind(
  { received, refused, dropped }: Tally,
  { messages }: DeliveryFigures,
): number {
  return received - refused - dropped - messages;
}

/** The end, as lines of `name value`. */
export function summary(tally: Tally, figures: DeliveryFigures, nowMs: number): string {
  const { received, firstMs = nowMs, badLines, cutLines, refused } = tally;
  const dropped = tally.dropped + figures.dropped;
  const left = leftBehind(tally, figures);
  const { delivered, unheard, toSocket, toClient } = figures;
  const latency = toClient.count > 0 ? toClient : toSocket;
  const rate = nowMs > firstMs ? (received * 1_000) / (nowMs - firstMs) : 0;
  const rows = [
    ["received", whole(received)],
    ["delivered", `${whole(delivered)} (client deliveries)`],
    ["unheard", `${whole(unheard)} (nobody was joined)`],
    ["dropped", whole(dropped)],
    ...(left > 0 ? [["left", `${whole(left)} (the end came before their turn)`]] : []),
    ...(badLines > 0 ? [["bad lines", whole(badLines)]] : []),
    ...(cutLines > 0 ? [["cut lines", whole(cutLines)]] : []),
    ...(refused > 0 ? [["too large", whole(refused)]] : []),
    ["rate", `${whole(rate)} events/s, since the first`],
    [
      "latency",
      latency.count === 0
        ? "none measured"
        : `p50 ${ms(latency.p50Ms)}, p95 ${ms(latency.p95Ms)}, p99 ${ms(latency.p99Ms)}, to the ${latency === toClient ? "client" : "socket"}, ${whole(latency.count)} measured`,
    ],
  ] as const;
  return rows.map(([name = "", value = ""]) => `${name.padEnd(10)} ${value}\n`).join("");
}
