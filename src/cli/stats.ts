import type { Addressable } from "../support/internal.ts";
import { Process } from "../process/index.ts";
import { deliveryFigures } from "../delivery/index.ts";
import { topology, type TopologyNode } from "../stage/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import { clientsOf } from "../channels/internal.ts";
import type { LatencySnapshot } from "../telemetry/index.ts";
import { statsTopic, web } from "./gateway.ts";
import type { Tally } from "./tally.ts";

/** One stage as the page draws it. */
export interface StageFigures {
  readonly id: string;
  readonly kind: TopologyNode["kind"] | "consumer_supervisor";
  /** The ids of the stages it takes from. */
  readonly from: readonly string[];
  readonly asked: number;
  readonly buffered: number;
  readonly running: number;
  readonly done: number;
  readonly dropped: number;
}

/** What the page, the progress line and the summary show. */
export type Stats = {
  /** Messages delivered per second, to however many clients, over the last second or so. */
  readonly rate: number;
  readonly received: number;
  readonly delivered: number;
  readonly unheard: number;
  readonly dropped: number;
  /** To the client where clients send receipts, else to the socket. */
  readonly latency: LatencySnapshot;
  readonly stages: readonly StageFigures[];
  readonly clients: number;
};

const periodMs = 250;
/** The rate is taken over this many periods. */
const periodsOfRate = 4;

function stagesOf(app: Addressable): StageFigures[] {
  const { nodes, edges } = topology(app);
  const ids = new Map(nodes.map(({ pid, label }) => [pid, label]));
  return nodes
    .filter(({ kind }) => kind !== "process" && kind !== "supervisor")
    .map(({ pid, label, kind, figures }) => {
      const { asked = 0, buffered = 0, offers = 0, running = 0, done = 0, dropped = 0 } = figures;
      const from = edges.flatMap(({ from, to }) => (to === pid ? (ids.get(from) ?? []) : []));
      return {
        id: label,
        kind: "failed" in figures ? "consumer_supervisor" : kind,
        from,
        asked,
        buffered: buffered + offers,
        running,
        done,
        dropped,
      };
    });
}

/** Reads the figures of a running pipe several times a second, for clients and for `seen`. */
export class StatsProcess extends Process {
  readonly #topic: string;
  readonly #seen: (stats: Stats) => void;
  readonly #counts: { readonly atMs: number; readonly messages: number }[] = [];
  readonly #tally: Tally;
  #app: Addressable | undefined = undefined;

  constructor(topic: string, tally: Tally, seen: (stats: Stats) => void) {
    super();
    this.#topic = topic;
    this.#tally = tally;
    this.#seen = seen;
  }

  protected override init(): void {
    this.self.every(periodMs, () => this.#publish());
  }

  /** Reads this tree from now on. */
  watch(app: Addressable): void {
    this.#app = app;
  }

  /** The figures now. */
  stats(): Stats {
    const { messages, delivered, unheard, dropped, toSocket, toClient } = deliveryFigures(web);
    const stages = this.#app === undefined ? [] : stagesOf(this.#app);
    return {
      rate: this.#rate(messages),
      received: this.#tally.received,
      delivered,
      unheard,
      dropped: this.#tally.dropped + dropped,
      latency: toClient.count > 0 ? toClient : toSocket,
      stages,
      clients: clientsOf(web, currentSystem(), this.#topic),
    };
  }

  #rate(messages: number): number {
    const atMs = currentSystem().runtime.now();
    this.#counts.push({ atMs, messages });
    if (this.#counts.length > periodsOfRate + 1) this.#counts.shift();
    const first = this.#counts[0]!;
    return atMs > first.atMs ? ((messages - first.messages) * 1_000) / (atMs - first.atMs) : 0;
  }

  #publish(): void {
    const stats = this.stats();
    this.#seen(stats);
    web.broadcast(statsTopic, "stats", stats);
  }
}
