import { byId, write } from "./dom.js";
import { count, duration, rate } from "./format.js";
import { Sparkline } from "./sparkline.js";

const rateLine = new Sparkline(byId("rate-line"), 120);

/** Shows rate, latency and counts of one stats event. */
export function showFigures(stats) {
  write(byId("rate"), rate(stats.rate));
  rateLine.push(stats.rate);
  const latency = stats.latency?.count > 0 ? stats.latency : {};
  write(byId("p50"), duration(latency.p50Ms));
  write(byId("p99"), duration(latency.p99Ms));
  for (const name of ["received", "delivered", "unheard", "dropped"])
    write(byId(name), count(stats[name]));
  byId("dropped").classList.toggle("bad", stats.dropped > 0);
}
