// Clients that others wrote, unchanged, against a server in a process of its own, which is killed under them.
import { RealtimeClient } from "@supabase/realtime-js";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { until } from "./support/clients.ts";
import { stockClients, type Stock } from "./support/stock-clients.ts";
import { startStockServer } from "./support/stock-server.ts";

const isHosted = (name: string): boolean => name.startsWith("@supabase");
const patienceMs = 30_000;

/** The server's address, once it listens. */
async function listening(server: ReturnType<typeof startStockServer>): Promise<string> {
  const { url } = await server.until("it listens", () => true);
  return url.replace("http", "ws");
}

describe.each(Object.entries(stockClients))("%s", (name, start) => {
  const topic = isHosted(name) ? "realtime:lobby" : "room:lobby";
  /** Its own broadcasts in version 2 are frames that no Phoenix server knows. */
  const broadcasts = name !== "@supabase/realtime-js (V2)";

  /** Says something, which the other hears. */
  const speak = async (one: Stock, other: Stock, text: string): Promise<void> => {
    const before = other.told.length;
    if (isHosted(name)) expect(await one.push("said", { text })).toBe("ok");
    else expect(await one.push("say", { text })).toEqual(["ok", { said: text }]);
    await until(() => other.told.length > before);
    expect(other.told.at(-1)).toEqual({ event: "said", payload: { text } });
  };

  it(
    "joins, pushes, has replies and broadcasts, joins again after a SIGKILL, and leaves (C14, L123)",
    async () => {
      let server = startStockServer();
      const clients: Stock[] = [];
      try {
        const url = await listening(server);
        const [one, other] = [start(url, topic), start(url, topic)];
        clients.push(one, other);
        await until(() => clients.every(({ joins }) => joins.length === 1));
        if (broadcasts) await speak(one, other, "before");

        const { port } = new URL(url);
        server.child.kill("SIGKILL");
        await server.exited;
        server = startStockServer(Number(port));
        await listening(server);
        await until(() => clients.every(({ joins }) => joins.length === 2), patienceMs);
        if (broadcasts) await speak(other, one, "after");

        await one.leave();
        const before = one.told.length;
        if (broadcasts) {
          const third = start(url, topic);
          clients.push(third);
          await until(() => third.joins.length === 1);
          await speak(other, third, "without");
        }
        expect(one.told.length).toBe(before);
      } finally {
        for (const client of clients) client.close();
        await server[Symbol.asyncDispose]();
      }
    },
    2 * patienceMs,
  );
});

describe("@supabase/realtime-js (V2), which says broadcasts in frames of its own", () => {
  it(
    "is closed 1011 over one, and comes back; nobody else notices",
    async () => {
      await using server = startStockServer();
      const url = await listening(server);
      const other = stockClients["phoenix (V2)"]!(url, "room:lobby");
      await until(() => other.joins.length === 1);
      const codes: number[] = [];
      const client = new RealtimeClient(`${url}/socket`, {
        params: { apikey: "none" },
        transport: class extends WebSocket {
          constructor(address: string) {
            super(address);
            this.on("close", (code) => codes.push(code));
          }
        } as never,
        reconnectAfterMs: () => 100,
      });
      let joins = 0;
      const channel = client.channel("lobby").subscribe((status) => {
        if (status === "SUBSCRIBED") joins++;
      });
      await until(() => joins === 1);
      void channel.send({ type: "broadcast", event: "said", payload: { text: "mine" } });
      await until(() => codes.length > 0);
      expect(codes[0]).toBe(1011);
      await until(() => joins > 1, patienceMs);
      expect(await other.push("say", { text: "still here" })).toEqual([
        "ok",
        { said: "still here" },
      ]);
      expect(other.joins).toHaveLength(1);
      other.close();
      await client.disconnect();
    },
    patienceMs,
  );
});

describe.each(["1.0.0", "2.0.0"])("presence of @supabase/realtime-js (%s)", (vsn) => {
  /** One user's client, who says where they are whenever it has subscribed, as its authors show it. */
  const present = (url: string, user: string) => {
    const client = new RealtimeClient(`${url}/socket`, {
      params: { apikey: user },
      transport: WebSocket as never,
      reconnectAfterMs: () => 100,
      vsn,
    });
    const seen: string[] = [];
    const channel = client.channel("lobby");
    channel.on("presence", { event: "join" }, ({ key }) => seen.push(`join ${key}`));
    channel.on("presence", { event: "leave" }, ({ key }) => seen.push(`leave ${key}`));
    channel.subscribe((status) => {
      if (status === "SUBSCRIBED") void channel.track({ at: "desk" });
    });
    const users = (): string => Object.keys(channel.presenceState()).toSorted().join();
    return { client, channel, seen, users };
  };

  it(
    "tracks, changes, untracks, sees who comes and goes, and is there again after a SIGKILL (L123)",
    async () => {
      let server = startStockServer();
      const clients: RealtimeClient[] = [];
      try {
        const url = await listening(server);
        const [ann, bob] = [present(url, "ann"), present(url, "bob")];
        clients.push(ann.client, bob.client);
        const both = (): boolean => `${ann.users()} ${bob.users()}` === "ann,bob ann,bob";
        await until(both);
        expect(ann.channel.presenceState()["bob"]).toMatchObject([{ at: "desk" }]);

        expect(await bob.channel.untrack()).toBe("ok");
        await until(() => ann.users() === "ann");
        expect(ann.seen.at(-1)).toBe("leave bob");
        expect(await bob.channel.track({ at: "door" })).toBe("ok");
        await until(both);

        const joins = ann.seen.length;
        const { port } = new URL(url);
        server.child.kill("SIGKILL");
        await server.exited;
        server = startStockServer(Number(port));
        await listening(server);
        await until(() => ann.seen.includes("join bob", joins) && both(), patienceMs);
        expect(ann.channel.presenceState()["bob"]).toMatchObject([{ at: "desk" }]);

        await bob.client.disconnect();
        await until(() => ann.users() === "ann");

        // The client shows a changed meta beside the one before: it takes the ref off a meta before it looks for it.
        expect(await ann.channel.track({ at: "door" })).toBe("ok");
        await until(() => JSON.stringify(ann.channel.presenceState()["ann"]).includes("door"));
      } finally {
        for (const client of clients) void client.disconnect();
        await server[Symbol.asyncDispose]();
      }
    },
    2 * patienceMs,
  );
});
