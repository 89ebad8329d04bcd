// How often a socket is written: each write costs more than what is in it.
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type Endpoint } from "sluice/channels";
import { until } from "./support/clients.ts";
import { frame, RawLine } from "./support/raw-line.ts";

interface Feed {
  in: {
    ask(payload: { readonly text: string }): { readonly text: string };
    tell(payload: { readonly text: string }): { readonly text: string };
  };
  out: { item: { readonly n: number } };
}
interface Topics {
  strict: Feed;
  lossy: Feed;
  newest: Feed;
  greeted: Feed;
  "many:*": Feed;
}

interface World {
  readonly web: Endpoint<Topics, {}>;
  readonly line: RawLine;
  readonly say: (...events: (readonly [topic: string, event: string, text: string])[]) => void;
  /** Resolves when so many more texts have come: them, and how many writes brought them. */
  readonly heard: (count: number) => Promise<{ readonly texts: string[]; readonly writes: number }>;
}

/** One client of a server whose writes are counted. */
function served(body: (world: World) => Promise<void>): Promise<void> {
  const web = endpoint<Topics>("web");
  const shared = {
    schemas: "trusted" as const,
    join: () => ({ assigns: {} }),
    on: {
      ask: ({ text }: { readonly text: string }) => ({ text }),
      tell: async ({ text }: { readonly text: string }) => ({ text }),
    },
  };
  const channels = [
    web.channel("strict", shared),
    web.channel("lossy", { ...shared, slow: "dropOldest" }),
    web.channel("newest", { ...shared, slow: { latest: ({ n }) => String(n) } }),
    web.channel("many:*", shared),
    web.channel("greeted", { ...shared, joined: (channel) => channel.push("item", { n: 1 }) }),
  ];
  return withSystem(async () => {
    const server = createServer();
    let writes = 0;
    server.on("connection", (socket) => {
      const write = socket.write.bind(socket) as (...of: unknown[]) => boolean;
      socket.write = (...of: unknown[]) => {
        writes++;
        return write(...of);
      };
    });
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({ server, sockets: { "/socket": { connect: () => ({}), channels } } }),
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { url } = await app.children.web.call.address();
    await using line = await RawLine.open(url);
    let known = 0;
    const heard: World["heard"] = async (count) => {
      const before = writes;
      await until(() => line.texts.length >= known + count);
      const texts = line.texts.slice(known);
      known += count;
      return { texts, writes: writes - before };
    };
    const say: World["say"] = (...events) =>
      line.send(
        ...events.map(([topic, event, text], at) =>
          frame(1, JSON.stringify(["1", String(at), topic, event, { text }])),
        ),
      );
    for (const topic of ["strict", "lossy", "newest"]) {
      say([topic, "phx_join", ""]);
      await heard(1);
    }
    await body({ web, line, say, heard });
    server.close();
  });
}

describe("one write carries", () => {
  it.each([
    ["what the channel says at once", "greeted", '"item"'],
    ["the end of the one that it takes the place of", "strict", '"phx_close"'],
  ])("the answer to a join, with %s", (_, topic, behind) =>
    served(async ({ say, heard }) => {
      say([topic, "phx_join", ""]);
      const { texts, writes } = await heard(2);
      expect(texts[0]).toContain('"phx_reply"');
      expect(texts[1]).toContain(behind);
      expect(writes).toBe(1);
    }),
  );

  it.each(["strict", "lossy", "newest"] as const)(
    "all that is said in one turn on the topic %s (C42)",
    (topic) =>
      served(async ({ web, heard }) => {
        for (let n = 0; n < 10; n++) web.broadcast(topic, "item", { n });
        const { texts, writes } = await heard(10);
        expect(texts).toEqual(
          Array.from({ length: 10 }, (_, n) => `[null,null,"${topic}","item",{"n":${n}}]`),
        );
        expect(writes).toBe(1);
      }),
  );

  it("the answer to what was asked alone, in whatever letters", () =>
    served(async ({ say, heard }) => {
      for (const text of ["", "ascii", "é€\u{1f600}", "\u0000\u007f\u0080", "x".repeat(10_000)])
        for (const event of ["ask", "tell"]) {
          say(["strict", event, text]);
          const { texts, writes } = await heard(1);
          expect(JSON.parse(texts[0]!)).toEqual([
            "1",
            "0",
            "strict",
            "phx_reply",
            { status: "ok", response: { text } },
          ]);
          expect(writes).toBe(1);
        }
    }));

  it.each([1, 2, 3, 4, 5])(
    "the answers to what was asked at once on %i topics, joins too",
    (topics) =>
      served(async ({ say, heard }) => {
        const names = Array.from({ length: topics }, (_, n) => `many:${n}`);
        const joins = names.map((name) => [name, "phx_join", ""] as const);
        const asks = names.map((name) => [name, "ask", ""] as const);
        // How many messages a process handles in a row grows with time.
        for (const events of [joins, ...Array.from({ length: 100 }, () => asks)]) {
          say(...events);
          expect((await heard(topics)).writes).toBe(1);
        }
      }),
  );

  it("all answers to what was asked at once, on one topic or several, in the order of each", () =>
    served(async ({ say, heard }) => {
      const asked = ["a", "b", "c"].flatMap((text) =>
        (["strict", "lossy"] as const).map((topic) => [topic, "ask", text] as const),
      );
      say(...asked);
      const { texts, writes } = await heard(6);
      for (const topic of ["strict", "lossy"])
        expect(texts.filter((text) => text.includes(topic)).join("")).toMatch(/"a".*"b".*"c"/);
      expect(writes).toBe(1);
    }));
});
