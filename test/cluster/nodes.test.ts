// Three server nodes and one that only speaks, programs of their own, behind each real broker; stock clients on all.
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Socket } from "phoenix";
import { hangUp, join, push, stockClient, type Joined } from "../integration/support/clients.ts";
import { score } from "../scoreboard.ts";
import { describeOn } from "../support/servers/on-server.ts";
import { adapterTo, brokers } from "./brokers.ts";
import { NodeProcess, until } from "./node-process.ts";

const floodMs = 5;
/** What a busy machine may add. */
const spareMs = 2_000;

interface Cluster {
  readonly nodes: readonly NodeProcess[];
  readonly speaker: NodeProcess;
}

const numbersOf = ({ told }: Joined): number[] =>
  told.map(({ payload }) => (payload as { n: number }).n);

/** Those of a run of numbers that did not come. */
function missing(numbers: readonly number[]): number[] {
  const came = new Set(numbers);
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    (n) => !came.has(n),
  );
}

for (const broker of brokers)
  describeOn(broker, `nodes behind ${broker}`, (server) => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).toReversed()) await end();
    });

    let started: readonly NodeProcess[] = [];
    beforeAll(async () => {
      const roles = ["serves", "serves", "serves", "speaks"] as const;
      started = await Promise.all(
        roles.map((role) => NodeProcess.start(broker, server().url, `nodes_${broker}`, role)),
      );
    }, 120_000);
    afterAll(async () => {
      for (const node of started) await node.kill();
    });

    /** The same nodes for all tests, who have forgotten what they told. */
    function cluster(): Cluster {
      for (const node of started) node.forget();
      return { nodes: started.slice(0, 3), speaker: started[3]! };
    }

    function client(node: NodeProcess, user = "anybody"): Socket {
      const socket = stockClient(node.url, { user });
      ends.push(() => hangUp(socket));
      return socket;
    }

    const joinAll = ({ nodes }: Cluster, topic: string): Promise<Joined[]> =>
      Promise.all(nodes.map((node) => join(client(node), topic)));

    it("a broadcast on one reaches clients on all, once and in order, also from a node that only speaks (C36, C37, C50, C62, C64, L115)", async () => {
      const all = cluster();
      const { nodes, speaker } = all;
      const joined = await joinAll(all, "room:a");
      const [a, b, c] = joined as [Joined, Joined, Joined];
      for (let n = 0; n < 100; n++) nodes[0]!.do({ kind: "broadcast", room: "a", n });
      await until("all of the first", () => joined.every(({ told }) => told.length >= 100));
      for (let n = 100; n < 200; n++) speaker.do({ kind: "broadcast", room: "a", n });
      await until("all of the second", () => joined.every(({ told }) => told.length >= 200));
      nodes[1]!.do({ kind: "local", room: "a", n: -1 });
      await until("the local one", () => b.told.length >= 201);
      expect(await push(a.channel, "say", { n: -2 })).toEqual(["ok", {}]);
      await until("broadcastFrom", () => b.told.length >= 202 && c.told.length >= 201);
      expect(await push(a.channel, "shout", { n: -3 })).toEqual(["ok", {}]);
      await until("the last", () => joined.every((one) => numbersOf(one).includes(-3)));
      const run = Array.from({ length: 200 }, (_, n) => n);
      expect([a, b, c].map(numbersOf)).toEqual([
        [...run, -3],
        [...run, -1, -2, -3],
        [...run, -2, -3],
      ]);
      expect(await speaker.figures()).toMatchObject({ received: 0, subscriptions: 0 });
    });

    it("a join is answered when the node hears the others: what they say right after is not missed (C30)", async () => {
      const { nodes, speaker } = cluster();
      const socket = client(nodes[1]!);
      for (let n = 0; n < 30; n++) {
        const joined = await join(socket, `room:join ${n}`);
        speaker.do({ kind: "broadcast", room: `join ${n}`, n });
        await until(`what is said right after the join of room ${n}`, () => joined.told.length > 0);
        expect(numbersOf(joined)).toEqual([n]);
      }
    });

    it("disconnecting an id closes its sockets on all nodes, and no other (C9, R75)", async () => {
      const { nodes, speaker } = cluster();
      const closed: string[] = [];
      for (const [nth, node] of nodes.entries())
        for (const user of ["mallory", "alice"]) {
          const socket = client(node, user);
          await join(socket, "room:a");
          socket.onClose(() => void closed.push(`${user} ${nth}`));
        }
      const before = performance.now();
      speaker.do({ kind: "disconnect", user: "mallory" });
      await until("the last close", () => closed.length >= 3);
      score(
        "R75",
        `last close on 3 nodes behind ${broker}`,
        `${Math.round(performance.now() - before)} ms`,
      );
      expect(closed.toSorted()).toEqual(["mallory 0", "mallory 1", "mallory 2"]);
    });

    it("a stranger who writes to the broker reaches no client, whatever he forges, changes, repeats or leads elsewhere (R59)", async () => {
      const all = cluster();
      const { nodes, speaker } = all;
      const joined = await joinAll(all, "room:a");
      const elsewhere = await joinAll(all, "room:b");
      const heard: string[] = [];
      const stranger = await adapterTo(broker, server().url, `nodes_${broker}`).connect(
        { message: (text) => void heard.push(text), lost() {} },
        new AbortController().signal,
      );
      ends.push(() => stranger.close());
      const [a, b] = ["a", "b"].map((room) => `t/channel:web:room:${room}`) as [string, string];
      await stranger.subscribe([a]);
      speaker.do({ kind: "broadcast", room: "a", n: 1 });
      await until("the broadcast", () => joined.every(({ told }) => told.length === 1));
      await until("the stranger's copy", () => heard.length === 1);
      const [said] = heard as [string];
      const forged = said.slice(said.indexOf("\n") + 1);
      const hostile: readonly (readonly [string, string])[] = [
        [a, forged],
        [a, said.replace('"n":1', '"n":2')],
        [a, said.replaceAll("room:a", "room:b")],
        [a, said],
        [b, said],
        ["all", said],
        [a, "\n"],
      ];
      const rounds = 20;
      const before = await Promise.all(nodes.map((node) => node.figures()));
      for (let round = 0; round < rounds; round++)
        await Promise.all(hostile.map(([to, text]) => stranger.publish(to, text)));
      for (const room of ["a", "b"]) speaker.do({ kind: "broadcast", room, n: 3 });
      const everybody = [...joined, ...elsewhere];
      await until("what follows", () => everybody.every((one) => numbersOf(one).at(-1) === 3));
      const after = await Promise.all(nodes.map((node) => node.figures()));
      const counted = after.map((figures, nth) => figures["unread"]! - before[nth]!["unread"]!);
      expect(counted).toEqual(nodes.map(() => hostile.length * rounds));
      // A broker may refuse it, and a node that is busy with it may be taken away for a moment.
      const huge = `${said.slice(0, 60)}${"x".repeat(10_000_000)}`;
      await stranger.publish(a, huge).catch(() => {});
      for (let n = 4; !everybody.every((one) => numbersOf(one).some((heard) => heard > 3)); n++) {
        for (const room of ["a", "b"]) speaker.do({ kind: "broadcast", room, n });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const early = (one: Joined): number[] => numbersOf(one).filter((n) => n <= 3);
      expect(joined.map(early)).toEqual(nodes.map(() => [1, 3]));
      expect(elsewhere.map(early)).toEqual(nodes.map(() => [3]));
      score(
        "R59",
        `hostile messages by way of ${broker}`,
        `${hostile.length * rounds + 1} on 3 nodes, accepted 0`,
      );
    });

    it("the broker is killed and comes back under load: all subscriptions are back, what was lost is told (R52)", async () => {
      const all = cluster();
      const { nodes, speaker } = all;
      const joined = await joinAll(all, "room:flood");
      const rooms = Array.from({ length: 20 }, (_, n) => `${n}`);
      const socket = client(nodes[2]!);
      const inRooms = await Promise.all(rooms.map((room) => join(socket, `room:${room}`)));
      const subscriptions = await Promise.all(nodes.map((node) => node.figures()));
      speaker.do({ kind: "flood", everyMs: floodMs });
      await until("the flood", () => joined.every(({ told }) => told.length > 50));
      await server().kill();
      const killed = performance.now();
      await until("that all know", () =>
        [...nodes, speaker].every((node) => node.of("down").length === 1),
      );
      nodes[0]!.do({ kind: "broadcast", room: "flood", n: -1 });
      await until("what stays local", () =>
        joined[0]!.told.some(({ payload }) => (payload as { n: number }).n === -1),
      );
      await server().start();
      await until("that all are back", () =>
        [...nodes, speaker].every((node) => node.of("up").length === 1),
      );
      const backMs = performance.now() - killed;
      const counts = joined.map(({ told }) => told.length);
      await until("the flood again", () =>
        joined.every(({ told }, nth) => told.length > counts[nth]! + 50),
      );
      for (const room of rooms) speaker.do({ kind: "broadcast", room, n: 7 });
      await until("every room", () => inRooms.every(({ told }) => told.length === 1));
      speaker.do({ kind: "calm" });
      const after = await Promise.all(nodes.map((node) => node.figures()));
      expect(after.map((figures) => figures["subscriptions"])).toEqual(
        subscriptions.map((figures) => figures["subscriptions"]),
      );
      // Nobody hears anything twice, or out of order.
      for (const one of joined) {
        const numbers = numbersOf(one).filter((n) => n >= 0);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((x, y) => x - y));
      }
      const lost = joined.map((one) => missing(numbersOf(one).filter((n) => n >= 0)).length);
      expect(Math.min(...lost)).toBeGreaterThan(0);
      // Each node knows of its own gap; what the speaker knows not to have sent is all that is missing but what was under way.
      for (const node of [...nodes, speaker])
        expect(node.of("gap").filter(({ isOwn }) => isOwn)).toHaveLength(1);
      const told = speaker.of("gap").find(({ isOwn }) => isOwn)!;
      expect(told.unsent).toBeGreaterThan(0);
      for (const count of lost) expect(count - told.unsent).toBeLessThan(told.unsent + 100);
      score(
        "R52",
        `${broker} killed for ${Math.round(backMs)} ms, one message each ${floodMs} ms`,
        `subscriptions back 100 %, lost ${lost.join("/")}, told ${told.unsent}, every node told of its gap`,
      );
    });

    it("a broker that hangs is found by the heartbeat, and when it goes on all is back (R52, R56)", async () => {
      const all = cluster();
      const { nodes, speaker } = all;
      const joined = await joinAll(all, "room:a");
      server().pause();
      const paused = performance.now();
      try {
        await until("that all know", () =>
          [...nodes, speaker].every((node) => node.of("down").length >= 1),
        );
        const foundMs = performance.now() - paused;
        score("R56", `${broker} hangs, heartbeat 500 ms`, `found in ${Math.round(foundMs)} ms`);
        expect(foundMs).toBeLessThan(2 * 500 + spareMs);
      } finally {
        server().resume();
      }
      await until("that all are back", () =>
        [...nodes, speaker].every((node) => node.of("up").length >= 1),
      );
      speaker.do({ kind: "broadcast", room: "a", n: 1 });
      await until("a broadcast", () => joined.every((one) => numbersOf(one).includes(1)));
    });

    it("a node is killed: the others go on, and miss nothing", async () => {
      const all = cluster();
      const { nodes, speaker } = all;
      const [, ...joined] = await joinAll(all, "room:flood");
      speaker.do({ kind: "flood", everyMs: floodMs });
      await until("the flood", () => joined.every(({ told }) => told.length > 20));
      await nodes[0]!.kill();
      const counts = joined.map(({ told }) => told.length);
      await until("the flood goes on", () =>
        joined.every(({ told }, nth) => told.length > counts[nth]! + 50),
      );
      for (const one of joined) expect(missing(numbersOf(one))).toEqual([]);
      for (const node of [nodes[1]!, nodes[2]!, speaker]) expect(node.of("down")).toEqual([]);
    });
  });
