// R57: three nodes, programs of their own, are told to end and started again one after the other, while two clients speak.
import { HistoryClient, HistorySpeaker } from "../integration/logs/history-client.ts";
import type { LogKind } from "../integration/logs/history-log.ts";
import { HistoryNode } from "../integration/logs/history-node.ts";
import { score } from "../scoreboard.ts";
import { Balancer } from "./balancer.ts";
import { until } from "./node-process.ts";

const topic = "room:x";
const nodeCount = 3;
/** As long as a busy machine may take. */
const withinMs = 60_000;

/** What became of the clients. */
export interface Rolled {
  readonly acked: number;
  /** Acknowledged, and not told to a client. */
  readonly missed: number;
  readonly doubled: number;
  /** Clients that were told something in another order than others. */
  readonly reordered: number;
  /** Clients that were told that something is missing. */
  readonly gaps: number;
  /** Clients that were sent away, each as often as that was. */
  readonly away: number;
}

/** How much is done. */
export interface RollSize {
  readonly clients: number;
  /** So many of the three nodes are restarted. */
  readonly restarts: number;
}

/** Restarts nodes behind a broker, and puts the figure down. Clients are stock ones, at one address before all nodes. */
export async function roll(
  kind: LogKind,
  url: string,
  { clients: count, restarts }: RollSize,
): Promise<Rolled> {
  await using stack = new AsyncDisposableStack();
  const nodes = Array.from({ length: nodeCount }, () => stack.use(new HistoryNode({ kind, url })));
  await Promise.all(nodes.map((node) => node.start()));
  const balancer = stack.use(await Balancer.start(nodes.map((node) => node.url)));
  const client = (): HistoryClient => stack.use(new HistoryClient(balancer.url, topic));
  const clients = Array.from({ length: count }, client);
  const speaking = [client(), client()];
  const all = [...clients, ...speaking];
  await until("that all have joined", () => all.every(({ isJoined }) => isJoined), withinMs);
  const speakers = speaking.map((one, nth) => new HistorySpeaker(one, `speaker ${nth}`));
  const speak = async (more: number): Promise<void> => {
    const before = speakers.map(({ acked }) => acked.length);
    const goesOn = (): boolean =>
      speakers.every(({ acked }, nth) => acked.length >= before[nth]! + more);
    await until("that the speakers go on", goesOn, withinMs);
  };

  await speak(20);
  for (const node of nodes.slice(0, restarts)) {
    await node.stop();
    await speak(10);
    await node.start();
    await speak(10);
  }
  await Promise.all(speakers.map((speaker) => speaker.end()));
  const acked = speakers.flatMap((speaker) => speaker.acked);
  const late = client();
  await until("the whole of it", () => acked.every((text) => late.texts.includes(text)), withinMs);
  const caughtUp = ({ texts }: HistoryClient): boolean => texts.length >= late.texts.length;
  // Who misses something is found below.
  await until("that all have it", () => all.every(caughtUp), withinMs).catch(() => {});

  const sum = (of: (one: HistoryClient) => number): number =>
    all.reduce((total, one) => total + of(one), 0);
  const awayMs = all.flatMap((one) => one.awayMs).toSorted((a, b) => a - b);
  const rolled = {
    acked: acked.length,
    missed: sum((one) => missedBy(one, acked)),
    doubled: sum(({ texts }) => texts.length - new Set(texts).size),
    reordered: sum(({ texts }) => (texts.join("\n") === late.texts.join("\n") ? 0 : 1)),
    gaps: sum(({ lost }) => lost),
    away: awayMs.length,
  };
  const at = (part: number): string =>
    `${Math.round(awayMs[Math.floor(part * (awayMs.length - 1))] ?? 0)} ms`;
  score(
    "R57",
    `${restarts} of ${nodeCount} nodes behind ${kind} restarted one by one under ${all.length} stock clients`,
    `each away ${(awayMs.length / all.length).toFixed(1)} times, p50 ${at(0.5)}, p99 ${at(0.99)}; of ${acked.length} acknowledged missed ${rolled.missed}, doubled ${rolled.doubled}, told of a gap ${rolled.gaps}`,
  );
  return rolled;
}

function missedBy({ texts }: HistoryClient, acked: readonly string[]): number {
  const told = new Set(texts);
  return acked.filter((text) => !told.has(text)).length;
}
