// Several nodes that sign what they say, in one program, and a stranger at their broker.
import { describe, expect, it } from "vitest";
import { Process, sleep, start, startSupervisor, topology } from "sluice";
import { pubsub, topic, type PubSubOptions } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { memoryHub, simulate, type MemoryHub, type MemoryNode } from "sluice/testing";

const news = topic<unknown>("news");

class Ear extends Process {
  readonly #heard: unknown[];
  constructor(heard: unknown[]) {
    super();
    this.#heard = heard;
  }
  protected override async init(): Promise<void> {
    await news.subscribe(this.self, (message) => void this.#heard.push(message)).confirmed;
  }
}

async function joined(node: MemoryNode, options: Partial<PubSubOptions>) {
  const children = { pubsub: pubsub({ adapter: node.adapter, ...options }) };
  const app = await node.run(() => startSupervisor({ strategy: "one_for_one", children }));
  const heard: unknown[] = [];
  const ear = await node.run(() => start(Ear, { args: [heard] }));
  return {
    heard,
    say: (message: unknown) => node.system.of(news).broadcast(message),
    unread: () => topology(app).nodes.find(({ label }) => label === "pubsub")!.figures["unread"]!,
    async [Symbol.asyncDispose]() {
      await ear.stop();
      await app.stop();
    },
  };
}

const each = (seeds: number, body: (hub: MemoryHub) => Promise<void>, maxDelayMs = 10) =>
  simulate(
    async () => {
      using _log = attach("sluice.log", () => {});
      await body(memoryHub({ maxDelayMs }));
    },
    { seeds },
  );

const secrets = ["a secret of more than 32 bytes, for tests"];

describe("with secrets (R59)", () => {
  it("nodes hear each other, and nobody else: what a stranger forges, changes, repeats or leads elsewhere is counted, and told once in a heartbeat", () =>
    each(10, async (hub) => {
      const told: { readonly reason: string; readonly count: number }[] = [];
      using _unread = attach("sluice.pubsub.unread", ({ reason, count }) =>
        told.push({ reason, count }),
      );
      const options = { secrets, heartbeatMs: 1_000 };
      const [a, b, c] = [hub.node(), hub.node(), hub.node()];
      await using here = await joined(a, { ...options, nodeName: "here" });
      await using there = await joined(b, { ...options, nodeName: "there" });
      await using beside = await joined(c, options);
      const heard: string[] = [];
      const events = { message: (text: string) => void heard.push(text), lost() {} };
      const stranger = await hub.adapter.connect(events, new AbortController().signal);
      await stranger.subscribe(["t/news", "n/there", "all"]);
      here.say("said");
      a.system.of(topic("news")).direct("there", "whispered");
      await sleep(100);
      expect([here.heard, there.heard]).toEqual([["said"], ["said", "whispered"]]);
      const [said, whispered] = ["said", "whispered"].map((word) =>
        heard.find((text) => text.endsWith(JSON.stringify(word)))!,
      ) as [string, string];
      const hostile: readonly (readonly [string, string])[] = [
        ["t/news", '[1,"x",1,"json","news"]\n"forged"'],
        ["all", '[1,"x",1,"~gap",""]\n{"node":"x","downMs":1,"unsent":1}'],
        ["t/news", said.replace("said", "sold")],
        ["t/news", said],
        ["n/there", said],
        ["t/news", whispered],
        ["n/here", whispered],
      ];
      const rounds = 100;
      for (let round = 0; round < rounds; round++)
        for (const [to, text] of hostile) void stranger.publish(to, text);
      await sleep(3_000);
      here.say("well");
      await sleep(100);
      expect([here.heard, there.heard, beside.heard]).toEqual([
        ["said", "well"],
        ["said", "whispered", "well"],
        ["said", "well"],
      ]);
      // What says that it is of the node itself is let go without a look.
      const counts = [here, there, beside].map(({ unread }) => unread());
      expect(counts).toEqual([2 * rounds, 6 * rounds, 5 * rounds]);
      expect(new Set(told.map(({ reason }) => reason))).toEqual(
        new Set([
          "not signed",
          "signed with no secret of this node",
          "said before",
          "for another node",
        ]),
      );
      // Eight reasons on three nodes, in three heartbeats.
      expect(told.length).toBeLessThanOrEqual(8 * (1 + 3));
      expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(13 * rounds);
      await stranger.close();
    }));

  it("are needed where others may reach the broker, or a word that these are trusted", () => {
    const { adapter } = memoryHub();
    const remote = { ...adapter, isLoopback: false };
    expect(() => pubsub({ adapter: remote })).toThrow('secrets: got "none"');
    const wrong: readonly [unknown, string][] = [
      [[], 'secrets: got "none"'],
      ["short", "secrets: got"],
      [["short"], 'secrets[0]: got "5 bytes"'],
    ];
    for (const [given, message] of wrong)
      expect(() => pubsub({ adapter, secrets: given } as PubSubOptions)).toThrow(message);
    for (const given of ["trusted", secrets] as const)
      expect(() => pubsub({ adapter: remote, secrets: given })).not.toThrow();
  });
});
