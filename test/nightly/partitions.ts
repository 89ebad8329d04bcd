// R50, R51 and R56 on real lines: a part of `npm run test:nightly`. Three nodes in networks of their own behind each real
// broker, stock clients on all; the lines of one are cut in every way that lines are, and healed.
import { brokers, type Broker } from "../cluster/brokers.ts";
import { until } from "../cluster/node-process.ts";
import { score } from "../scoreboard.ts";
import { program } from "../support/servers/files.ts";
import { kinds } from "../support/servers/kinds.ts";
import { check } from "./support/check.ts";
import { enterOwnNetwork } from "./support/network.ts";
import { PartitionNode, startBroker } from "./support/partition-cluster.ts";
import { cuts, type Cut } from "./support/partition-cuts.ts";
import { heartbeatMs, idleMs } from "./support/partition-protocol.ts";
import { Witness, type Account, type Sum } from "./support/witness.ts";

/** What a busy machine may add. */
const spareMs = 3_000;
const patienceMs = 60_000;
/** What the bus has not brought so long after the history has come to its end does not come. */
const busEndMs = 10_000;
/** `node partitions.ts [broker [words of a cut]]`: only those. */
const [, , which = "", only = ""] = process.argv;
const ofClient = "a client's line that swallows all";
const none: ReadonlySet<number> = new Set();

interface Cluster {
  readonly broker: Broker;
  /** The lines of the last one are cut. */
  readonly nodes: readonly [PartitionNode, PartitionNode, PartitionNode];
}

/** A client of each node, which is on all its topics; and what each node had said before. */
async function attend({ nodes }: Cluster, clientBeatMs: number) {
  const said = new Map(nodes.map((node) => [node, node.said]));
  const witnesses = new Map(
    nodes.map((node) => [node, new Witness(node.url, `at ${node.name}`, clientBeatMs)] as const),
  );
  const everybody = nodes.map(({ name }) => `at ${name}`).join();
  const all = [...witnesses.values()];
  await until(
    "that all clients see all",
    () => all.every(({ joined, crowd }) => joined >= 3 && crowd === everybody),
    patienceMs,
  );
  for (const node of nodes) node.flood();
  await until("that all hear all", () =>
    all.every(({ room }) => nodes.every((node) => room.of(node.name).last > said.get(node)! + 20)),
  );
  for (const node of nodes) node.forget();
  for (const witness of all) witness.changes.length = 0;
  return {
    all,
    everybody,
    of: (node: PartitionNode): Witness => witnesses.get(node)!,
    first: (node: PartitionNode): number => said.get(node)! + 1,
    async [Symbol.asyncDispose]() {
      for (const witness of all) await witness[Symbol.asyncDispose]();
    },
  };
}
type Attendance = Awaited<ReturnType<typeof attend>>;

/** Was a client told that messages of the bus may be missing? One that came anew knows that there was something in between. */
const isTold = (attendance: Attendance, hearer: PartitionNode, node: PartitionNode): boolean =>
  attendance.of(hearer).joined > 3 ||
  hearer.of("gap").some((gap) => hearer !== node && (gap.isOwn || gap.node === node.name));

/** Nobody says more; resolves when all clients have heard the end of the history, and of the bus where nothing else is told. */
async function end(what: string, { nodes }: Cluster, attendance: Attendance): Promise<void> {
  for (const node of nodes) await node.calm();
  await until(
    `the end of the history of ${what}`,
    () =>
      attendance.all.every(({ feed }) =>
        nodes.every(({ name, lastKept }) => feed.of(name).last >= lastKept),
      ),
    patienceMs,
  );
  const isHeard = (hearer: PartitionNode, node: PartitionNode): boolean =>
    isTold(attendance, hearer, node) || attendance.of(hearer).room.of(node.name).last >= node.said;
  await until(
    `the end of the bus of ${what}`,
    () => nodes.every((hearer) => nodes.every((node) => isHeard(hearer, node))),
    busEndMs,
  ).catch(() => {
    // It is lost, then, and counted.
  });
}

const plus = (one: Sum, other: Sum): Sum => ({
  missing: one.missing + other.missing,
  doubled: one.doubled + other.doubled,
  reordered: one.reordered + other.reordered,
});
const nothing: Sum = { missing: 0, doubled: 0, reordered: 0 };

/** What all clients heard of all nodes: of the bus where a gap was told and where none was, and of the history. */
function sums({ nodes }: Cluster, attendance: Attendance) {
  const sums = { told: nothing, untold: nothing, history: nothing };
  for (const hearer of nodes)
    for (const node of nodes) {
      const { room, feed } = attendance.of(hearer);
      const sum = (account: Account, without: ReadonlySet<number>): Sum =>
        account.sum(attendance.first(node), node.said, without);
      const kind = isTold(attendance, hearer, node) ? "told" : "untold";
      sums[kind] = plus(sums[kind], sum(room.of(node.name), none));
      sums.history = plus(sums.history, sum(feed.of(node.name), node.failed));
    }
  return sums;
}

/** The line of a node to the broker is cut and healed while all speak. */
async function cutBack(cluster: Cluster, cut: Cut): Promise<void> {
  const { row, what, takesAway } = cut;
  const { broker, nodes } = cluster;
  const [other, another, away] = nodes;
  const where = `${broker}, a line that ${what}`;
  await using attendance = await attend(cluster, idleMs / 2);
  const { of, all, everybody } = attendance;
  const own = of(away).room.of(away.name);
  own.calm();
  const lastBefore = own.last;

  const began = performance.now();
  let foundMs: number | undefined;
  const watched = until(`${where} is found`, () => away.of("down").length > 0, patienceMs).then(
    () => (foundMs = performance.now() - began),
  );
  // Found where it takes the node away: else this waits for nothing.
  watched.catch(() => {});
  const made = cut.make(away.back);
  if (cut.client === "comes anew") {
    await watched;
    await of(away).comeAnew();
  }
  await made;
  const [alone, aloneMs] = [own.last - lastBefore, own.longestPauseMs];

  const healed = performance.now();
  const before = [other, another].map(({ name }) => of(away).room.of(name).last);
  const heard = of(other).room.of(away.name).last;
  away.back.heal();
  await until(
    `${where} is healed`,
    () =>
      [other, another].every(({ name }, nth) => of(away).room.of(name).last > before[nth]!) &&
      of(other).room.of(away.name).last > heard,
    patienceMs,
  );
  const healMs = performance.now() - healed;
  await until(
    `${where}: the node is up`,
    () => away.of("up").length === away.of("down").length,
    patienceMs,
  );
  await until(
    `${where}: all see all`,
    () => all.every(({ crowd }) => crowd === everybody),
    patienceMs,
  );
  await end(where, cluster, attendance);

  const { told, untold, history } = sums(cluster, attendance);
  const bus = plus(told, untold);
  const failed = nodes.reduce((sum, node) => sum + node.failed.size, 0);
  const found = foundMs === undefined ? "never away" : `found in ${foundMs.toFixed(0)} ms`;
  score(
    row,
    where,
    `${found}, healed in ${healMs.toFixed(0)} ms, its own clients waited ${aloneMs.toFixed(0)} ms at most; ` +
      `bus: lost and told ${told.missing}, not told ${untold.missing}, doubled ${bus.doubled}, reordered ${bus.reordered}; ` +
      `history: lost ${history.missing}, doubled ${history.doubled}, reordered ${history.reordered}, refused ${failed}`,
  );
  check(row, where, {
    "lost and not told": [untold.missing, 0],
    "of the bus, doubled": [bus.doubled, 0],
    "of the bus, reordered": [bus.reordered, 0],
    "of the history": [history, nothing],
    "told that history is missing": [all.map(({ lost }) => lost), [0, 0, 0]],
    "other nodes that lost the broker": [[other, another].flatMap((node) => node.of("down")), []],
    "clients that were cut off": [
      all.map(({ broken }) => broken),
      [0, 0, cut.client === "stays" ? 0 : 1],
    ],
  });
  if (!takesAway) return;
  check(row, where, {
    "times down and up": [
      [away.of("down").length, away.of("up").length],
      [1, 1],
    ],
    "found within two heartbeats": [foundMs! < 2 * heartbeatMs + spareMs, true],
    "its own clients went on hearing it": [alone > 20, true],
  });
  if (cut.client === "stays")
    check(row, where, {
      "who left and came, for each": [
        all.map(({ changes }) => changes.toSorted()),
        nodes.map((node) =>
          (node === away ? [other, another] : [away])
            .flatMap(({ name }) => [`+at ${name}`, `-at ${name}`])
            .toSorted(),
        ),
      ],
    });
}

/** The line between a node and its client swallows all: both find out, and of the history nothing is missed. */
async function cutFront(cluster: Cluster): Promise<void> {
  const { broker, nodes } = cluster;
  const away = nodes[2];
  const where = `${broker}, ${ofClient}`;
  await using attendance = await attend(cluster, 2_000);
  const witness = attendance.of(away);
  away.front.swallow("both");
  const began = performance.now();
  const since = (): number => performance.now() - began;
  const [clientMs, serverMs] = await Promise.all([
    until("that the client finds it", () => witness.broken > 0, patienceMs).then(since),
    until("that the server finds it", () => away.of("closed").length > 0, patienceMs).then(since),
  ]);
  away.front.heal();
  const healed = performance.now();
  await until("that the client is back", () => witness.joined >= 6, patienceMs);
  const backMs = performance.now() - healed;
  await end(where, cluster, attendance);
  const { history } = sums(cluster, attendance);
  score(
    "R56",
    where,
    `found by the server in ${serverMs.toFixed(0)} ms of ${idleMs}, by the client in ${clientMs.toFixed(0)} ms, back ${backMs.toFixed(0)} ms after it was healed; ` +
      `history: lost ${history.missing}, doubled ${history.doubled}, reordered ${history.reordered}`,
  );
  check("R56", where, {
    "closed by the server": [away.of("closed").map(({ code }) => code), [1001]],
    "others closed": [nodes.slice(0, 2).flatMap((node) => node.of("closed")), []],
    "found in its time": [serverMs < idleMs + spareMs, true],
    "of the history": [history, nothing],
    "told that history is missing": [witness.lost, 0],
    "nodes that lost the broker": [nodes.flatMap((node) => node.of("down")), []],
  });
}

/** All of it, behind one broker. */
async function behind(broker: Broker): Promise<void> {
  await using server = await startBroker(broker);
  await using ends = new AsyncDisposableStack();
  const start = async (nth: number): Promise<PartitionNode> =>
    ends.use(await PartitionNode.start(nth, broker, server));
  const cluster: Cluster = {
    broker,
    nodes: await Promise.all([start(1), start(2), start(3)]),
  };
  const wanted = cuts.filter(({ what }) => what.includes(only));
  for (const cut of wanted) await cutBack(cluster, cut);
  if (ofClient.includes(only)) await cutFront(cluster);
}

// What has to be obtained is obtained while there is a way to where it is.
for (const broker of brokers) await program(kinds[broker]);
await enterOwnNetwork("R50, R51 and R56 on real lines");
for (const broker of brokers.filter((name) => name.startsWith(which))) await behind(broker);
// A socket of a client whose line was cut waits for its other end for as long as the system lets it, which is a quarter of an hour.
process.exit();
