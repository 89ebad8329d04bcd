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
        if (isHosted(name)) expect(await one.push("presence", { at: 1 })).toBe("ok");

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
