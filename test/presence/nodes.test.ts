import { describe, expect, it } from "vitest";
import { startSupervisor } from "sluice";
import { pubsub } from "sluice/pubsub";
import { attach, type TelemetryEvents } from "sluice/telemetry";
import { memoryHub, simulate, type Simulation } from "sluice/testing";
import { bus } from "../../src/pubsub/internal.ts";
import { processes } from "../../src/process/internal.ts";
import { currentSystem } from "../../src/runtime/internal.ts";
import { Net } from "./net.ts";
import { Node, here } from "./node.ts";

type Statuses = string[];

interface World extends Simulation {
  readonly net: Net;
  /** A node that is joined to the others, with its tracker. */
  readonly node: (options?: object) => Promise<Node>;
  /** What was told of replicas: up, down, gone. */
  readonly statuses: Statuses;
  readonly ignored: string[];
  readonly logs: string[];
}

/** Runs the body with nodes that are stopped at its end. */
async function world(body: (world: World) => Promise<void>, seeds = 5): Promise<void> {
  const statuses: Statuses = [];
  const ignored: string[] = [];
  const logs: string[] = [];
  using _statuses = attach("sluice.presence.replica", ({ status }) => void statuses.push(status));
  using _ignored = attach("sluice.presence.ignored", ({ why }) => void ignored.push(why));
  using _logs = attach(
    "sluice.log",
    ({ message }: TelemetryEvents["sluice.log"]) => void logs.push(message),
  );
  await simulate(
    async (simulation) => {
      statuses.length = ignored.length = logs.length = 0;
      const nodes: Node[] = [];
      const net = new Net(currentSystem());
      const node = async (options: object = {}): Promise<Node> => {
        const one = new Node("t");
        net.join(one.system);
        await one.start(options);
        nodes.push(one);
        return one;
      };
      try {
        await body({ ...simulation, net, node, statuses, ignored, logs });
      } finally {
        for (const one of nodes) await one.stop();
        await simulation.advance(100);
      }
    },
    { seeds },
  );
}

const enter = async (node: Node, key: string, n = 0): Promise<string> => {
  const guest = node.guests.get("guest") ?? (await node.guest("guest"));
  return guest.call.enter("t", key, n);
};
const keysOf = async (node: Node): Promise<string[]> =>
  [...(await node.here.list("t")).keys()].toSorted();

describe("several nodes", () => {
  it("know each other from their first beat: a newcomer has everything within two quarters of a beat and the way, in pieces of the size that is set (C109, C112, L122)", () =>
    world(async ({ node, net, advance, statuses }) => {
      const first = await node();
      for (let n = 0; n < 90; n++) await enter(first, `k${n}`, n);
      await advance(20_000);
      net.largest = net.carried = 0;
      const second = await node();
      await advance(2 * 375 + 10);
      expect(await keysOf(second)).toHaveLength(90);
      expect(statuses).toEqual(["up", "up"]);
      expect([net.carried > 2, net.largest < 4_200]).toEqual([true, true]);
      expect(second.client.refs).toHaveLength(90);
    }));

  it("with nothing to tell, they beat every tenth period, and nobody is down (C109, C110, L122)", () =>
    world(async ({ node, net, advance, statuses }) => {
      await node();
      await node();
      await advance(5_000);
      net.carried = 0;
      await advance(165_000);
      expect(net.carried).toBeGreaterThanOrEqual(18);
      expect(net.carried).toBeLessThanOrEqual(22);
      expect(statuses).toEqual(["up", "up"]);
    }));

  it("silence makes a node down and its presences leave; heard again, they join again as they were; for long, it is forgotten (C110, C115, L117, L118, L122)", () =>
    world(async ({ node, net, advance, statuses }) => {
      const [one, two] = [await node({ forgetMs: 100_000 }), await node({ forgetMs: 100_000 })];
      await enter(one, "k");
      await advance(3_000);
      const before = two.client.refs;
      expect(before).toHaveLength(1);
      net.cut(one.system, two.system);
      await advance(46_500);
      expect([await keysOf(two), two.client.refs, statuses.slice(2)]).toEqual([[], [], ["down"]]);
      await enter(one, "late");
      net.heal();
      await advance(20_000);
      expect([await keysOf(two), statuses.slice(2)]).toEqual([
        ["k", "late"],
        ["down", "up"],
      ]);
      expect(two.client.refs).toContain(before[0]);
      net.cut(one.system, two.system);
      await advance(120_000);
      expect(statuses.slice(4)).toEqual(["down", "gone"]);
      net.heal();
      await advance(20_000);
      expect([await keysOf(two), statuses.at(-1)]).toEqual([["k", "late"], "up"]);
    }));

  it("a tracker that crashes takes with it who tracked, and the next one tells at once that the last is gone (C104, C105, C110, L117, L122)", () =>
    world(async ({ node, advance, statuses }) => {
      const [one, two] = [await node(), await node()];
      const guest = await one.guest("doomed");
      await guest.call.enter("t", "k", 1);
      await advance(3_000);
      expect(await keysOf(two)).toEqual(["k"]);
      const table = one.system.get(processes);
      table.names.get("presence:here")!.kill({ crash: new Error("a fault") });
      const reason = await guest.exited;
      expect(reason).toHaveProperty("crash");
      await advance(10);
      expect([await keysOf(one), await keysOf(two), statuses.slice(2)]).toEqual([[], [], ["gone"]]);
      const again = await one.guest("again");
      await again.call.enter("t", "k", 2);
      await advance(4_000);
      expect(await keysOf(two)).toEqual(["k"]);
    }));

  it("who untracked everything is tied no more (C104, L122)", () =>
    world(async ({ node, advance }) => {
      const one = await node();
      const guest = await one.guest("free");
      await guest.call.enter("t", "k", 1);
      await guest.call.exit("t", "k");
      one.system
        .get(processes)
        .names.get("presence:here")!
        .kill({ crash: new Error("a fault") });
      await advance(10);
      await guest.call.enter("t", "again", 2);
      expect(await keysOf(one)).toEqual(["again"]);
    }));

  it("a node that comes back under its name takes the place of its last life at once (C105, C110, L122)", () =>
    world(async ({ node, net, advance }) => {
      const [one, two] = [await node({ node: "n1" }), await node({ node: "n2" })];
      await enter(one, "old");
      await advance(3_000);
      net.leave(one.system);
      one.kill();
      const back = await node({ node: "n1" });
      await enter(back, "new");
      await advance(3_000);
      expect(await keysOf(two)).toEqual(["new"]);
    }));

  it("one that stood still blames nobody for what it did not hear meanwhile (C110)", () =>
    world(async ({ node, advance, statuses }) => {
      const one = await node();
      await node();
      await enter(one, "k");
      await advance(3_000);
      // Its messages wait while its timers ring: as of a thread that was held.
      const cell = one.system.get(processes).names.get("presence:here")!;
      const { promise, resolve } = Promise.withResolvers<void>();
      cell.hold(promise, () => undefined);
      await advance(60_000);
      resolve();
      await advance(100);
      expect(statuses.filter((status) => status === "down").length).toBeLessThanOrEqual(1);
      await advance(20_000);
      expect(statuses.at(-1)).toBe("up");
    }));

  it("unless told otherwise, they are down after 30 s of silence, and forgotten after 20 minutes (C101, C110)", () =>
    world(async ({ node, net, advance, statuses }) => {
      const [one, two] = [await node(), await node()];
      await advance(3_000);
      await enter(one, "k");
      // Told with the next beat, which is the last that is heard.
      await advance(1_600);
      net.cut(one.system, two.system);
      await advance(28_000);
      expect(statuses.slice(2)).toEqual([]);
      await advance(5_000);
      expect(statuses.slice(2)).toEqual(["down"]);
      await advance(1_200_000 - 35_000);
      expect(statuses.slice(2)).toEqual(["down"]);
      await advance(5_000);
      expect(statuses.slice(2)).toEqual(["down", "gone"]);
    }));

  it("without the goodbye, a node that stops is gone after the down period (C101, C111)", () =>
    world(async ({ node, net, advance }) => {
      const [one, two] = [await node({ byeOnStop: false }), await node()];
      await enter(one, "k");
      await advance(3_000);
      net.leave(one.system);
      one.kill();
      await advance(28_000);
      expect(await keysOf(two)).toEqual(["k"]);
      await advance(20_000);
      expect(await keysOf(two)).toEqual([]);
    }));

  it("what is no message of a replica is ignored and counted, and harms nothing (R59)", () =>
    world(async ({ node, advance, ignored }) => {
      const one = await node();
      await enter(one, "k");
      const says = (message: unknown): unknown =>
        one.system.get(bus).arrive("presence:here", "json", JSON.stringify(message));
      says({ kind: "later", from: "x" });
      says({ kind: "delta", from: "x", slice: ["y", 0, 1, [], []] });
      says(["__proto__"]);
      says({ kind: "bye", from: "stranger" });
      says({ kind: "beat", from: "stranger", node: null, clocks: [] });
      await advance(10);
      expect(ignored).toEqual(["unknown kind", "slice", "no object", "it has ended"]);
      expect(await keysOf(one)).toEqual(["k"]);
    }));

  it("a meta that no message of the adapter can hold is not told, and keeps nothing else from being told", () =>
    world(async ({ node, advance, logs }) => {
      const [one, two] = [await node(), await node()];
      const { uplink } = one.system.get(bus);
      const publish = uplink!.publish.bind(uplink);
      uplink!.publish = (topic, kind, text) => {
        if (text.length > 2_000) throw new Error("too large");
        publish(topic, kind, text);
      };
      for (let n = 0; n < 30; n++) await enter(one, `k${n}`);
      const guest = one.guests.get("guest")!;
      await guest.call.enter("t", "large", "x".repeat(3_000) as never);
      await enter(one, "last");
      await advance(8_000);
      expect((await keysOf(two)).length).toBe(31);
      expect(await keysOf(two)).not.toContain("large");
      expect(logs.filter((message) => message.includes("large in t"))).toHaveLength(1);
    }));

  it("nor is an update to such a meta: others see the last one leave (R59)", () =>
    world(async ({ node, advance, logs }) => {
      const [one, two] = [await node(), await node()];
      const { uplink } = one.system.get(bus);
      const publish = uplink!.publish.bind(uplink);
      let tries = 0;
      uplink!.publish = (topic, kind, text) => {
        if (++tries > 1_000) throw new RangeError("it is tried for ever");
        if (text.length > 2_000) throw new Error("too large");
        publish(topic, kind, text);
      };
      await enter(one, "grows");
      await enter(one, "stays");
      await advance(4_000);
      expect(await keysOf(two)).toEqual(["grows", "stays"]);
      await one.guests.get("guest")!.call.change("t", "grows", "x".repeat(3_000) as never);
      await advance(4_000);
      expect(tries).toBeLessThan(1_000);
      expect(await keysOf(two)).toEqual(["stays"]);
      expect(logs.filter((message) => message.includes("grows in t"))).toHaveLength(1);
    }));

  it("over a broker: each sees the other, an outage is mended, a clean stop tells at once (C111, C114)", async () => {
    await simulate(
      async ({ advance }) => {
        const hub = memoryHub({ maxDelayMs: 20 });
        const nodes = [hub.node(), hub.node(), hub.node()];
        const apps = await Promise.all(
          nodes.map(({ run, adapter }) =>
            run(() =>
              startSupervisor({
                strategy: "rest_for_one",
                children: { pubsub: pubsub({ adapter, unconnected: "local" }), here: here.child() },
              }),
            ),
          ),
        );
        await advance(2_000);
        const guests = nodes.map(({ system }) => {
          const node = new Node("t", system);
          return node.guest("guest");
        });
        for (const [n, guest] of guests.entries()) await (await guest).call.enter("t", `k${n}`, n);
        const keys = (n: number): Promise<string[]> =>
          nodes[n]!.system.of(here)
            .list("t")
            .then((list) => [...list.keys()].toSorted());
        await advance(3_000);
        for (const n of [0, 1, 2]) expect(await keys(n)).toEqual(["k0", "k1", "k2"]);
        hub.stop();
        await (await guests[0]!).call.enter("t", "meanwhile", 4);
        await advance(2_000);
        hub.start();
        await advance(20_000);
        for (const n of [0, 1, 2]) expect(await keys(n)).toEqual(["k0", "k1", "k2", "meanwhile"]);
        await (await guests[2]!).stop();
        await apps[2]!.stop();
        await advance(100);
        for (const n of [0, 1]) expect(await keys(n)).toEqual(["k0", "k1", "meanwhile"]);
        for (const n of [0, 1]) await (await guests[n]!).stop();
        await Promise.all(apps.slice(0, 2).map((app) => app.stop()));
        await advance(1_000);
      },
      { seeds: 5 },
    );
  });
});
