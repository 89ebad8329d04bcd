import { deepEqual, equal, match, notEqual, throws } from "node:assert/strict";
import { SluiceError } from "../support/internal.ts";
import { pubsub } from "../pubsub/index.ts";
import { startSupervisor } from "../process/index.ts";
import type { AdapterCase } from "./adapter-suite.ts";
import { until, type HeardBy, type JoinedNode } from "./adapter-bench.ts";

/** Broadcasts a last word and waits until all have it: what was said before has arrived, or will not. */
async function settle(from: JoinedNode, key: string, hearers: readonly HeardBy[]): Promise<void> {
  const last = `last word of ${from.figure("published")}`;
  from.topic(key).broadcast(last);
  for (const { heard } of hearers) await until(last, () => heard.includes(last));
  for (const { heard } of hearers) heard.splice(heard.indexOf(last), 1);
}

const counts = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What `pubsub` makes of an adapter. */
export const pubsubCases: readonly AdapterCase[] = [
  {
    name: "C62, C70, L113, L115: a broadcast reaches the subscribers on all nodes once, in order, the sender's own as well",
    async body(bench) {
      const [a, b, c] = await bench.nodes(3);
      const ears = await Promise.all([a!, b!, c!].map((node) => node.ear("t")));
      const other = await b!.ear("u");
      for (const n of counts(200)) a!.topic("t").broadcast({ n });
      await settle(a!, "t", ears);
      for (const { heard } of ears)
        deepEqual(
          heard,
          counts(200).map((n) => ({ n })),
        );
      deepEqual(other.heard, []);
    },
  },
  {
    name: "C63, L113: broadcastFrom leaves out the subscriptions of the sender, and of nobody else",
    async body(bench) {
      const [a, b] = await bench.nodes(2);
      const sender = await a!.ear("t");
      const [beside, far] = [await a!.ear("t"), await b!.ear("t")];
      await sender.ear.call.sayFrom("said");
      await settle(a!, "t", [sender, beside, far]);
      deepEqual([sender.heard, beside.heard, far.heard], [[], ["said"], ["said"]]);
    },
  },
  {
    name: "C64, L113, L115: broadcastLocal stays on its node, and takes what is no JSON",
    async body(bench) {
      const [a, b] = await bench.nodes(2);
      const [near, far] = [await a!.ear("t"), await b!.ear("t")];
      const message = { run: () => 1 };
      a!.topic("t").broadcastLocal(message);
      await settle(a!, "t", [near, far]);
      deepEqual([near.heard[0] === message, far.heard], [true, []]);
    },
  },
  {
    name: "C65, C66, L113, L115: direct reaches one node alone, its own as JSON as well; an unknown node is nobody",
    async body(bench) {
      const a = await bench.node();
      const b = await bench.node({ nodeName: "the * second > node.b ü" });
      const c = await bench.node();
      const names = [a, b, c].map(({ name }) => name);
      equal(names[1], "the * second > node.b ü");
      notEqual(names[0], names[2]);
      const ears = await Promise.all([a, b, c].map((node) => node.ear("t")));
      a.topic("t").direct(names[1], { to: "b" });
      a.topic("t").direct(names[0]!, { to: "a", gone: undefined });
      a.topic("t").direct("nobody", { to: "nobody" });
      await settle(a, "t", ears);
      await until("the direct one", () => ears[1]!.heard.length > 0);
      deepEqual(
        ears.map(({ heard }) => heard),
        [[{ to: "a" }], [{ to: "b" }], []],
      );
    },
  },
  {
    name: "C61: one that subscribes twice hears twice; disposed or ended it hears no more, and nothing is left",
    async body(bench) {
      const [a, b] = await bench.nodes(2);
      const twice = await b!.ear("t", "t");
      a!.topic("t").broadcast(1);
      await until("both", () => twice.heard.length >= 2);
      await twice.ear.call.forget();
      a!.topic("t").broadcast(2);
      await settle(a!, "t", [twice]);
      deepEqual(twice.heard, [1, 1, 2]);
      equal(b!.figure("subscriptions"), 1);
      await twice.ear.stop();
      equal(b!.figure("subscriptions"), 0);
    },
  },
  {
    name: "L115: only nodes with subscribers of a topic get its messages; a node may speak and hear nothing",
    async body(bench) {
      const [speaker, hearer, idle] = await bench.nodes(3);
      const { heard } = await hearer!.ear("t");
      await idle!.ear("u");
      for (const n of counts(20)) speaker!.topic("t").broadcast(n);
      await until("all of them", () => heard.length >= 20);
      deepEqual(heard, counts(20));
      deepEqual(
        [speaker!.figure("received"), hearer!.figure("received"), idle!.figure("received")],
        [0, 20, 0],
      );
      equal(speaker!.figure("published"), 20);
    },
  },
  {
    name: "what is no JSON, or larger than the broker takes, is refused where it is said, and nobody hears it",
    async body(bench) {
      const [a, b] = await bench.nodes(2, { maxMessageBytes: 4_096 });
      const ears = [await a!.ear("t"), await b!.ear("t")];
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      for (const message of [cycle, 1n, undefined, () => 1]) {
        throws(() => a!.topic("t").broadcast(message), { code: "SLUICE_PAYLOAD_REFUSED" });
        throws(() => a!.topic("t").direct("x", message), { code: "SLUICE_PAYLOAD_REFUSED" });
      }
      try {
        a!.topic("t").broadcast("é".repeat(2_048));
        throw new Error("a message that is too large was taken");
      } catch (error) {
        if (!SluiceError.is(error, "SLUICE_PAYLOAD_REFUSED")) throw error;
        match(error.details.why, /^it is 41\d\d bytes with its envelope, and \w+ takes 4096$/);
        equal(error.details.topic, "t");
      }
      await settle(a!, "t", ears);
      deepEqual(
        ears.map(({ heard }) => heard),
        [[], []],
      );
    },
  },
  {
    name: "whoever has waited for a subscription misses nothing that is said from then on",
    async body(bench) {
      const [a, b] = await bench.nodes(2);
      for (const n of counts(30)) {
        const { heard } = await b!.ear(`room ${n}`);
        a!.topic(`room ${n}`).broadcast(n);
        await until(`the message in room ${n}`, () => heard.length > 0);
        deepEqual(heard, [n]);
      }
    },
  },
  {
    name: "C69, C70: several nodes speak at once: each is heard in its order, nothing twice, nothing missing",
    async body(bench) {
      const nodes = await bench.nodes(3);
      const ears = await Promise.all(nodes.map((node) => node.ear("t")));
      for (const n of counts(150))
        for (const [from, node] of nodes.entries()) node.topic("t").broadcast([from, n]);
      for (const { heard } of ears) {
        await until("all of them", () => heard.length >= 450);
        for (const from of nodes.keys())
          deepEqual(
            (heard as [number, number][]).filter(([sender]) => sender === from).map(([, n]) => n),
            counts(150),
          );
      }
    },
  },
  {
    name: "a system has one link; stopped, its bus is alone again, and others go on",
    async body(bench) {
      const [a, b, c] = await bench.nodes(3);
      const ears = [await a!.ear("t"), await b!.ear("t")];
      const second = pubsub({ adapter: bench.broker.adapter() });
      const [refused] = await Promise.allSettled([
        a!.run(() => startSupervisor({ strategy: "one_for_one", children: { second } })),
      ]);
      equal(refused.status, "rejected");
      await c!.app.stop();
      c!.topic("t").broadcast("alone");
      a!.topic("t").broadcast("together");
      await settle(a!, "t", ears);
      deepEqual(
        ears.map(({ heard }) => heard),
        [["together"], ["together"]],
      );
    },
  },
];
