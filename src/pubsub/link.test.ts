import { describe, expect, it, vi } from "vitest";
import { Process, sleep, start, startSupervisor, withSystem } from "../process/index.ts";
import type { Cell } from "../process/internal.ts";
import { attach } from "../telemetry/index.ts";
import { memoryHub, simulate, type MemoryHub, type MemoryNode } from "../testing/index.ts";
import type { Adapter } from "./adapter.ts";
import { bus, type Listener } from "./bus.ts";
import { pubsub, type PubSubOptions } from "./pubsub.ts";
import { topic } from "./topic.ts";

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

async function joined(node: MemoryNode, options: Partial<PubSubOptions> = {}) {
  const app = await node.run(() =>
    startSupervisor({
      strategy: "one_for_one",
      children: { pubsub: pubsub({ adapter: node.adapter, ...options }) },
    }),
  );
  const heard: unknown[] = [];
  const ear = await node.run(() => start(Ear, { args: [heard] }));
  const figures = (): Readonly<Record<string, number | undefined>> =>
    (app.children.pubsub["~resolve"]() as Cell).engine!.inspect!().figures;
  return {
    app,
    heard,
    figures,
    say: (message: unknown) => node.system.of(news).broadcast(message),
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

describe("a line that dies in silence", () => {
  it("is found within two heartbeats; local delivery goes on; healed, all is back and the gap is told (R50, R56)", () =>
    each(20, async (hub) => {
      const downs: string[] = [];
      const gaps: { readonly isOwn: boolean; readonly unsent: number }[] = [];
      using _down = attach("sluice.pubsub.down", ({ reason }) => downs.push(reason));
      using _gap = attach("sluice.pubsub.gap", (gap) => gaps.push(gap));
      const [a, b] = [hub.node(), hub.node()];
      await using here = await joined(a, { heartbeatMs: 1_000 });
      await using there = await joined(b, { heartbeatMs: 1_000 });
      await sleep(1_500);
      a.cut();
      await sleep(2_000);
      expect(downs).toEqual(["SluiceError: a heartbeat did not come back in 1000 ms"]);
      here.say("local");
      await sleep(10);
      expect([here.heard, there.heard]).toEqual([["local"], []]);
      a.heal();
      await sleep(12_000);
      here.say("again");
      there.say("too");
      await sleep(100);
      expect(new Set(here.heard)).toEqual(new Set(["again", "local", "too"]));
      expect(new Set(there.heard)).toEqual(new Set(["again", "too"]));
      expect([here.heard.length, there.heard.length]).toEqual([3, 2]);
      // On both nodes, of the one that was cut off.
      expect(gaps.map(({ unsent }) => unsent)).toEqual([1, 1]);
      expect(gaps.filter(({ isOwn }) => isOwn)).toHaveLength(1);
    }));

  it("in one direction takes a node away once, until it is healed: it does not come and go (R51)", () =>
    each(20, async (hub) => {
      const seen: string[] = [];
      using _down = attach("sluice.pubsub.down", () => seen.push("down"));
      const [a, b] = [hub.node(), hub.node()];
      await using here = await joined(a, { heartbeatMs: 1_000 });
      await using there = await joined(b, { heartbeatMs: 1_000 });
      using _up = attach("sluice.pubsub.up", () => seen.push("up"));
      a.cut("out");
      await sleep(30_000);
      here.say("not heard");
      await sleep(100);
      a.heal();
      await sleep(15_000);
      here.say("heard");
      await sleep(100);
      expect(seen).toEqual(["down", "up"]);
      expect(there.heard).toEqual(["heard"]);
    }));

  it("is not what a slow broker is, as long as it answers by the next heartbeat", () =>
    each(
      5,
      async (hub) => {
        const downs: string[] = [];
        using _down = attach("sluice.pubsub.down", ({ reason }) => downs.push(reason));
        await using _here = await joined(hub.node(), { heartbeatMs: 1_000 });
        await sleep(20_000);
        expect(downs).toEqual([]);
      },
      480,
    ));
});

describe("what a node had said on a connection that it gave up", () => {
  it("is not heard after what it says on the next one; it is counted (C69, C70, R50)", () =>
    withSystem(async () => {
      const hub = memoryHub();
      await using here = await joined(hub.node());
      const stranger = await hub.adapter.connect(
        { message() {}, lost() {} },
        new AbortController().signal,
      );
      const say = (from: string, seq: number, since?: number): Promise<void> => {
        const head = [1, from, seq, "json", "news", ...(since === undefined ? [] : [null, since])];
        return stranger.publish("t/news", `${JSON.stringify(head)}\n"${from}${seq}"`);
      };
      await say("x", 1);
      await say("x", 4, 4);
      await say("x", 2);
      await say("x", 9, 9);
      await say("x", 5, 4);
      await say("x", 10, 9);
      await vi.waitFor(() => expect(here.heard.at(-1)).toBe("x10"));
      expect(here.heard).toEqual(["x1", "x4", "x9", "x10"]);
      expect(here.figures()["late"]).toBe(2);
      await stranger.close();
    }));

  it("is told apart by what the node says of its connection (C69, R50)", () =>
    each(5, async (hub) => {
      const heads: unknown[][] = [];
      await hub.adapter
        .connect(
          {
            message: (text) => void heads.push(JSON.parse(text.split("\n")[0]!) as unknown[]),
            lost() {},
          },
          new AbortController().signal,
        )
        .then((ear) => ear.subscribe(["t/news"]));
      const node = hub.node();
      await using here = await joined(node, { heartbeatMs: 1_000 });
      here.say("first");
      await sleep(100);
      node.cut();
      await sleep(3_000);
      node.heal();
      await sleep(12_000);
      here.say("second");
      await sleep(100);
      expect(heads.map(([, , , , , , since]) => since)).toEqual([undefined, expect.any(Number)]);
      const second = heads[1]!;
      expect(second[6]).toBeGreaterThan(heads[0]![2] as number);
      expect(second[6]).toBeLessThan(second[2] as number);
    }));
});

describe("what waits for the broker", () => {
  it("is bounded: what is beyond is counted and not sent, and the gap is told when there is room", () =>
    each(5, async (hub) => {
      const whys: string[] = [];
      const gaps: number[] = [];
      using _unsent = attach("sluice.pubsub.unsent", ({ why }) => whys.push(why));
      using _gap = attach("sluice.pubsub.gap", ({ isOwn, unsent }) => {
        if (isOwn) gaps.push(unsent);
      });
      const [a, b] = [hub.node(), hub.node()];
      await using here = await joined(a, { maxPendingBytes: 10_000, heartbeatMs: 1_000 });
      await using there = await joined(b);
      for (let n = 0; n < 100; n++) here.say("x".repeat(940));
      expect(here.figures()["pendingBytes"]).toBeLessThanOrEqual(10_000);
      await sleep(1_100);
      const sent = there.heard.length;
      expect([sent, whys.length]).toEqual([10, 90]);
      expect(whys.every((why) => why === "full")).toBe(true);
      expect(gaps).toEqual([90]);
      expect(here.figures()).toMatchObject({ published: 10, dropped: 90, pendingBytes: 0 });
    }));

  it("is told as a gap as soon as there is room, also while there is always something under way", () =>
    each(
      5,
      async (hub) => {
        const gaps: number[] = [];
        using _gap = attach("sluice.pubsub.gap", ({ isOwn, unsent }) => {
          if (isOwn) gaps.push(unsent);
        });
        const options = { maxPendingBytes: 10_000, heartbeatMs: 1_000 };
        await using here = await joined(hub.node(), options);
        for (let n = 0; n < 100; n++) here.say("x".repeat(940));
        for (let step = 0; step < 250; step++) {
          await sleep(20);
          here.say("more");
          expect(here.figures()["pendingBytes"]).toBeGreaterThan(0);
        }
        expect(gaps).toEqual([here.figures()["dropped"]]);
        expect(gaps[0]).toBeGreaterThanOrEqual(90);
      },
      400,
    ));
});

/** What a broker does with subscriptions, seen from its side. */
class Warden {
  readonly held: Set<string> = new Set();
  readonly doubled: string[] = [];
  /** Requests that are not answered, each with what ends it. */
  readonly open: Set<(error: Error) => void> = new Set();

  /** Lets nobody hear a topic with `secret` in its name, nor whatever is asked for together with one. */
  guards(adapter: Adapter): Adapter {
    return {
      kind: adapter.kind,
      isLoopback: true,
      connect: async (events, signal) => {
        const inner = await adapter.connect(events, signal);
        return {
          maxMessageBytes: inner.maxMessageBytes,
          publish: (to, text) => inner.publish(to, text),
          unsubscribe: (one) => {
            this.held.delete(one);
            inner.unsubscribe(one);
          },
          subscribe: (all) =>
            new Promise((resolve, reject) => {
              this.open.add(reject);
              const answer = async (): Promise<void> => {
                await sleep(50);
                if (all.some((one) => one.includes("secret"))) throw new Error("not allowed");
                this.doubled.push(...all.filter((one) => this.held.has(one)));
                for (const one of all) this.held.add(one);
                await inner.subscribe(all);
              };
              answer().then(resolve, reject);
            }),
          close: () => {
            for (const reject of this.open) reject(new Error("the connection is over"));
            return inner.close();
          },
          abort: () => inner.abort(),
        };
      },
    };
  }
}

describe("subscriptions that the broker refuses", () => {
  const nobody = (): Listener => ({ hear() {} });

  it("refuse no other that was asked for with them; what nobody wants any more is not asked for again", () =>
    each(5, async (hub) => {
      const node = hub.node();
      const warden = new Warden();
      await using _here = await joined(node, { adapter: warden.guards(node.adapter) });
      const before = [...warden.held];
      const all = node.system.get(bus);
      const [one, secret, left, again] = ["one", "secret", "left", "again"].map((key) =>
        all.subscribe(key, nobody()),
      );
      const asked = Promise.allSettled([all.confirmed("one"), all.confirmed("secret")]);
      await sleep(20);
      left![Symbol.dispose]();
      again![Symbol.dispose]();
      using _again = all.subscribe("again", nobody());
      expect((await asked).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      await sleep(500);
      expect([...warden.held].toSorted()).toEqual([...before, "t/again", "t/one"].toSorted());
      expect(warden.doubled).toEqual([]);
      one![Symbol.dispose]();
      secret![Symbol.dispose]();
    }));

  it("are no refusals when the node stops: nobody is told of any", () =>
    each(5, async (hub) => {
      const node = hub.node();
      const logs: string[] = [];
      using _log = attach("sluice.log", ({ message }) => logs.push(message));
      const warden = new Warden();
      {
        await using _here = await joined(node, { adapter: warden.guards(node.adapter) });
        node.system.get(bus).subscribe("one", nobody());
        await sleep(10);
      }
      await sleep(100);
      expect(logs).toEqual([]);
    }));
});

describe("what comes from the broker and is no message of a node", () => {
  it("is let go and counted, whatever it is; what follows is heard (R58, R59)", () =>
    withSystem(async () => {
      using _log = attach("sluice.log", () => {});
      const hub = memoryHub({ maxMessageBytes: 2 ** 26 });
      const node = hub.node();
      await using here = await joined(node, { maxMessageBytes: 4_096 });
      const stranger = await hub.adapter.connect(
        { message() {}, lost() {} },
        new AbortController().signal,
      );
      const head = (...values: unknown[]): string => JSON.stringify(values);
      const unread = [
        "",
        "\n",
        "garbage",
        "{}\n{}",
        "[]\n{}",
        "null\n1",
        `${head("1", "x", 1, "json", "news")}\n1`,
        `${head(1, 2, 1, "json", "news")}\n1`,
        `${head(1, "x", 1.5, "json", "news")}\n1`,
        `${head(1, "x", 1, "json")}\n1`,
        `${head(1, "x", 1, "~gap", "")}\n{"node":1}`,
        `${head(1, "x", 1, "~gap", "")}\nnot json`,
        `${head(1, "x", 1, "json", "y".repeat(10_000_000))}\n1`,
      ];
      const passed = [
        // Read, and fails where it is decoded.
        `${head(1, "x", 2, "json", "news")}\n{`,
        // Of a kind, or of a version, that we do not know.
        `${head(1, "x", 3, "later", "news")}\n1`,
        `${head(1, "x", 3, "~later", "")}\n1`,
        `${head(2, { from: "x" })}\n1`,
        `${head(1, "x", 4, "json", "news")}\n"well"`,
      ];
      for (const text of [...unread, ...passed]) await stranger.publish("t/news", text);
      await vi.waitFor(() => expect(here.heard).toEqual(["well"]));
      expect(here.figures()).toMatchObject({ connected: 1, unread: unread.length });
      await stranger.close();
    }));
});

describe("pubsub", () => {
  it("refuses what it cannot work with, by the name of the option; there is no pool to size (C60, C71, L114)", () => {
    const { adapter } = memoryHub();
    const wrong: readonly [object, string][] = [
      [{}, "adapter"],
      [{ adapter: {} }, "adapter"],
      [{ adapter, unconnected: "wait" }, "unconnected"],
      [{ adapter, nodeName: "" }, "nodeName"],
      [{ adapter, nodeName: "x".repeat(129) }, "nodeName"],
      [{ adapter, heartbeatMs: 0 }, "heartbeatMs"],
      [{ adapter, confirmMs: -1 }, "confirmMs"],
      [{ adapter, maxMessageBytes: 1 }, "maxMessageBytes"],
      [{ adapter, maxPendingBytes: Number.NaN }, "maxPendingBytes"],
      [{ adapter, reconnectDelayMs: { firstMs: 0, maxMs: 1 } }, "reconnectDelayMs.firstMs"],
      [{ adapter, startTimeoutMs: "1" }, "startTimeoutMs"],
      [{ adapter, heartbeat: 1 }, "pubsub: heartbeat"],
      [{ adapter, poolSize: 2 }, "pubsub: poolSize"],
    ];
    for (const [options, option] of wrong)
      expect(() => pubsub(options as PubSubOptions)).toThrow(`${option}: got`);
  });

  it("killed, it is started again by its supervisor, with all subscriptions", () =>
    each(5, async (hub) => {
      const [a, b] = [hub.node(), hub.node()];
      await using here = await joined(a);
      await using there = await joined(b);
      const before = here.app.children.pubsub["~resolve"]();
      (before as { kill(reason: string): void }).kill("killed");
      await sleep(500);
      expect(here.app.children.pubsub["~resolve"]()).not.toBe(before);
      there.say(1);
      await sleep(100);
      expect([here.heard, here.figures()["subscriptions"]]).toEqual([[1], 1]);
      expect(hub.connections).toBe(2);
    }));

  it("stopped while it connects, it leaves nothing behind", () =>
    each(5, async (hub) => {
      const node = hub.node();
      node.cut();
      const starting = node.run(() =>
        startSupervisor({
          strategy: "one_for_one",
          children: { pubsub: pubsub({ adapter: node.adapter, startTimeoutMs: 1_000 }) },
        }),
      );
      await expect(starting).rejects.toMatchObject({ code: "SLUICE_START_FAILED" });
      node.heal();
      await sleep(20_000);
      expect([hub.connections, node.system.wheel.size]).toEqual([0, 0]);
    }));
});
