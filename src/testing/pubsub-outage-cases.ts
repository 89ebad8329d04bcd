import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { attach, type TelemetryEvents } from "../telemetry/index.ts";
import type { AdapterCase } from "./adapter-suite.ts";
import { until, type AdapterBench } from "./adapter-bench.ts";

type Gap = TelemetryEvents["sluice.pubsub.gap"];

const quick = {
  reconnectDelayMs: { firstMs: 10, maxMs: 100, jitter: 0.5 },
  heartbeatMs: 500,
  connectTimeoutMs: 2_000,
} as const;

const outageOf = ({ broker }: AdapterBench): NonNullable<typeof broker.outage> => {
  if (broker.outage === undefined) throw new Error("open gave no outage, and outages is not false");
  return broker.outage;
};

/** What becomes of nodes when the broker dies, and comes back. */
export const pubsubOutageCases: readonly AdapterCase[] = [
  {
    name: "a connection that is lost says so once, and what it has not confirmed is rejected",
    async body(bench) {
      const { stop, start } = outageOf(bench);
      const { connection, lost, texts } = await bench.wire();
      await connection.subscribe(["t"]);
      const published = ["1", "2", "3"].map((text) => connection.publish("t", text));
      const stopped = stop();
      // Whether they came through or not, nobody waits for ever.
      await Promise.allSettled(published);
      await stopped;
      await until("the loss", () => lost.length > 0);
      await rejects(connection.publish("t", "m"));
      await rejects(connection.subscribe(["u"]));
      await connection.close();
      await start();
      const again = await bench.wire();
      await again.connection.subscribe(["t"]);
      await again.connection.publish("t", "once more");
      await until("the message", () => again.texts.length > 0);
      ok(texts.length <= 3);
      deepEqual([lost.length, again.texts], [1, ["once more"]]);
    },
  },
  {
    name: "R52: without the broker broadcasts stay local and are counted; with it again all subscriptions are back, and every node is told of the gap",
    async body(bench) {
      const { stop, start } = outageOf(bench);
      const [a, b] = await bench.nodes(2, quick);
      const keys = Array.from({ length: 40 }, (_, nth) => `room ${nth}`);
      const near = await a!.ear("room 0");
      const far = await b!.ear(...keys);
      const unsent: string[] = [];
      const gaps: Gap[] = [];
      const logged: string[] = [];
      using _unsent = attach("sluice.pubsub.unsent", ({ topic }) => unsent.push(topic));
      using _gaps = attach("sluice.pubsub.gap", (gap) => gaps.push(gap));
      using _log = attach("sluice.log", ({ level, message }) => logged.push(`${level} ${message}`));
      await stop();
      await until("that both know", () => [a!, b!].every((node) => node.figure("connected") === 0));
      a!.topic("room 0").broadcast("lost");
      a!.topic("room 1").broadcast("lost");
      await until("what stays local", () => near.heard.length > 0);
      deepEqual([near.heard, far.heard, unsent], [["lost"], [], ["room 0", "room 1"]]);
      equal(a!.figure("dropped"), 2);
      await start();
      await until("that both are back", () =>
        [a!, b!].every((node) => node.figure("connected") === 1),
      );
      for (const key of keys) a!.topic(key).broadcast(key);
      await until("all subscriptions", () => far.heard.length >= keys.length);
      deepEqual([far.heard, near.heard], [keys, ["lost", "room 0"]]);
      const [nameA, nameB] = [a!.name, b!.name];
      const told = (node: string, isOwn: boolean): Gap | undefined =>
        gaps.find((gap) => gap.node === node && gap.isOwn === isOwn);
      ok(told(nameA, true), "the node that was cut off is told");
      ok(told(nameB, true), "so is the other");
      equal(told(nameA, true)!.unsent, 2);
      ok(told(nameA, true)!.downMs > 0);
      // Whoever is back first is not there to be told of by the last.
      ok(told(nameA, false) ?? told(nameB, false), "others are told");
      ok(logged.some((line) => line.startsWith("warning ") && line.includes("not connected")));
    },
  },
  {
    name: "what is subscribed, and no longer wanted, while the broker is away counts when it is back; nobody waits for it",
    async body(bench) {
      const { stop, start } = outageOf(bench);
      const [a, b] = await bench.nodes(2, quick);
      using _log = attach("sluice.log", () => {});
      const before = await b!.ear("before");
      await stop();
      await until("that both know", () => [a!, b!].every((node) => node.figure("connected") === 0));
      await before.ear.stop();
      const during = await b!.ear("during");
      await start();
      await until("that both are back", () =>
        [a!, b!].every((node) => node.figure("connected") === 1),
      );
      a!.topic("before").broadcast(1);
      a!.topic("during").broadcast(2);
      await until("the message", () => during.heard.length > 0);
      deepEqual([before.heard, during.heard, b!.figure("received")], [[], [2], 1]);
    },
  },
  {
    name: "the start fails when there is no broker, or goes on alone and tells of the gap when there is one",
    async body(bench) {
      const { stop, start } = outageOf(bench);
      using _log = attach("sluice.log", () => {});
      await stop();
      const [failed] = await Promise.allSettled([bench.node({ ...quick, startTimeoutMs: 300 })]);
      equal(failed.status, "rejected");
      const codes = codesOf(failed.status === "rejected" ? failed.reason : undefined);
      ok(codes.includes("SLUICE_ADAPTER_DOWN"), `got ${codes.join(", ")}`);
      const alone = await bench.node({ ...quick, startTimeoutMs: 50, unconnected: "local" });
      const gaps: Gap[] = [];
      using _gaps = attach("sluice.pubsub.gap", (gap) => gaps.push(gap));
      const { heard } = await alone.ear("t");
      alone.topic("t").broadcast("to itself");
      await until("what stays local", () => heard.length > 0);
      await start();
      await until("the gap", () => gaps.some(({ isOwn }) => isOwn));
      const other = await bench.node(quick);
      other.topic("t").broadcast("from another");
      await until("the other", () => heard.length > 1);
      deepEqual([heard, gaps[0]!.unsent], [["to itself", "from another"], 1]);
    },
  },
];

/** Of an error and its causes. */
function codesOf(error: unknown): unknown[] {
  const codes: unknown[] = [];
  for (let at = error; at instanceof Error; at = at.cause)
    codes.push((at as { readonly code?: unknown }).code);
  return codes;
}
