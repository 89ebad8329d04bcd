// Clients that read slowly or not at all: nobody else notices, and the server keeps its memory.
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type Endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { rawClient, until, type RawClient } from "./support/clients.ts";

interface Feed {
  in: { ask(payload: object): { readonly n: number } };
  out: { item: { readonly n: number; readonly key: string; readonly text: string } };
}
interface Topics {
  strict: Feed;
  lossy: Feed;
  newest: Feed;
}

function served(
  body: (url: string, web: Endpoint<Topics, {}>) => Promise<void>,
  maxPendingBytes = 256 * 1_024,
): Promise<void> {
  const web = endpoint<Topics>("web");
  const shared = {
    schemas: "trusted" as const,
    join: () => ({ assigns: {} }),
    on: { ask: () => ({ n: 1 }) },
  };
  const channels = [
    web.channel("strict", shared),
    web.channel("lossy", { ...shared, slow: "dropOldest" }),
    web.channel("newest", { ...shared, slow: { latest: ({ key }) => key } }),
  ];
  return withSystem(async () => {
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          limits: { stallMs: 60_000 },
          sockets: { "/socket": { connect: () => ({}), channels, maxPendingBytes } },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body(url, web);
  });
}

const text = "x".repeat(10_000);
const numbers = (client: RawClient): number[] =>
  client.frames
    .filter(([, , , event]) => event === "item")
    .map(([, , , , payload]) => (payload as { readonly n: number }).n);

async function joined(url: string, topic: string): Promise<RawClient> {
  const client = await rawClient(url);
  await client.ask(["1", "1", topic, "phx_join", {}]);
  return client;
}

/** Broadcasts 20 MB, as fast as sockets take them: the kernel keeps some 4 MB of it for one that does not read. */
async function flood(web: Endpoint<Topics, {}>, topic: keyof Topics, count = 2_000): Promise<void> {
  for (let n = 0; n < count; n++) {
    web.broadcast(topic, "item", { n, key: String(n % 3), text });
    if (n % 5 === 4) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a client that does not read", () => {
  it("is closed 4008 where every message counts; the others get all, in order (C21, R66)", () =>
    served(async (url, web) => {
      const codes: number[] = [];
      using _closed = attach("sluice.channels.closed", ({ code }) => codes.push(code));
      await using slow = await joined(url, "strict");
      await using one = await joined(url, "strict");
      await using two = await joined(url, "strict");
      slow.ws.pause();
      await flood(web, "strict");
      await until(() => numbers(one).length === 2_000 && numbers(two).length === 2_000);
      const wrong = [one, two].flatMap((client) => numbers(client).filter((n, at) => n !== at));
      score(
        "R66",
        "of 4,000 to two beside one who does not read, not in their places",
        `${wrong.length}`,
      );
      expect(numbers(one)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
      expect(numbers(two)).toEqual(numbers(one));
      expect(codes).toEqual([4008]);
      slow.ws.resume();
      expect(await slow.closed()).toBe(4008);
      expect(numbers(slow)).toEqual(Array.from(numbers(slow), (_, n) => n));
    }));

  it("misses the oldest where that is the topic's policy, keeps order and replies, and stays", () =>
    served(async (url, web) => {
      await using slow = await joined(url, "lossy");
      await using fast = await joined(url, "lossy");
      slow.ws.pause();
      await flood(web, "lossy");
      slow.send(["1", "reply", "lossy", "ask", {}]);
      await until(() => numbers(fast).length === 2_000);
      slow.ws.resume();
      await until(() => numbers(slow).at(-1) === 1_999);
      await until(() => slow.frames.some(([, ref]) => ref === "reply"));
      const got = numbers(slow);
      expect(got).toEqual([...got].sort((one, other) => one - other));
      expect(got.length).toBeLessThan(1_900);
      expect(slow.close).toBeUndefined();
    }));

  it("gets the newest of each key where that is the topic's policy", () =>
    served(async (url, web) => {
      await using slow = await joined(url, "newest");
      slow.ws.pause();
      await flood(web, "newest");
      slow.ws.resume();
      await until(() => numbers(slow).at(-1) === 1_999);
      expect(numbers(slow).slice(-3)).toEqual([1_997, 1_998, 1_999]);
      expect(numbers(slow).length).toBeLessThan(1_900);
      expect(slow.close).toBeUndefined();
    }));

  it("is answered a ping ahead of all that waits for it (L57)", () =>
    served(
      async (url, web) => {
        await using slow = await joined(url, "strict");
        let heardBefore: number | undefined;
        slow.ws.on("pong", () => (heardBefore = numbers(slow).length));
        slow.ws.pause();
        await flood(web, "strict", 1_500);
        slow.ws.ping();
        // It has come when what was sent behind it is answered, among what still waits.
        const handled: string[] = [];
        using _handled = attach("sluice.channels.handled", ({ event }) => handled.push(event));
        slow.send(["1", "behind", "strict", "ask", {}]);
        await until(() => handled.includes("ask"));
        slow.ws.resume();
        await until(() => slow.frames.some(([, ref]) => ref === "behind"));
        expect(numbers(slow)).toHaveLength(1_500);
        expect(heardBefore).toBeLessThan(1_400);
      },
      64 * 1_024 * 1_024,
    ));

  it("is not taken for slow when much is said in one turn", () =>
    served(async (url, web) => {
      await using client = await joined(url, "strict");
      for (let n = 0; n < 300; n++) web.broadcast("strict", "item", { n, key: "", text });
      await until(() => numbers(client).length === 300);
      expect(client.close).toBeUndefined();
    }));
});
