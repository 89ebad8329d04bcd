// What goes wrong in a callback is for the log of the server alone.
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, fields } from "sluice/channels";
import { topic } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { RawClient, until } from "./support/clients.ts";

interface Topics {
  lobby: {
    join(params: object): void;
    in: { ask(payload: object): object; never(payload: object): object };
    out: { said: { readonly text: string } };
  };
}
const secret = "sk_live_0123456789";
const hooks = [
  "connect",
  "id",
  "lifetimeMs",
  "revalidate",
  "schema",
  "join",
  "subscribe",
  "joined",
  "event",
  "later",
  "info",
  "intercept",
  "leave",
] as const;
type Hook = (typeof hooks)[number];

/** Serves a lobby in which one callback throws, and does with it all that a client can. */
async function explode(armed: Hook): Promise<{ told: string; logged: string; events: string }> {
  const at = <T>(hook: Hook, otherwise?: T): T => {
    if (hook === armed) throw new Error(`no connection with ${secret}`);
    return otherwise as T;
  };
  const logs: unknown[] = [];
  const events: unknown[] = [];
  using _logs = attach("sluice.log", (entry) => logs.push(entry));
  using _refused = attach("sluice.channels.refused", (event) => events.push(event));
  using _closed = attach("sluice.channels.closed", (event) => events.push(event));
  const told: unknown[] = [];
  const news = topic<string>("news");
  const nothing = fields({});
  const exploding = {
    "~standard": {
      ...nothing["~standard"],
      validate(value: unknown) {
        at("schema");
        return nothing["~standard"].validate(value);
      },
    },
  };
  const web = endpoint<Topics>("web");
  const lobby = web.channel("lobby", {
    schemas: { join: exploding, ask: nothing, never: nothing },
    join() {
      at("join");
      return { assigns: {} };
    },
    subscribe() {
      at("subscribe");
      return [news];
    },
    joined: () => at("joined"),
    on: {
      ask() {
        at("event");
        return {};
      },
      never(_payload, channel, later) {
        channel.after(1, () => {
          at("later");
          later.reply({});
        });
        return later;
      },
    },
    info: () => at("info"),
    intercept: {
      said(payload) {
        at("intercept");
        return payload;
      },
    },
    leave: () => at("leave"),
  });
  await withSystem(async () => {
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          limits: { joinWithinMs: 400 },
          sockets: {
            "/socket": {
              connect: () => at("connect", {}),
              id: () => at("id", "id"),
              lifetimeMs: () => at("lifetimeMs", Infinity),
              revalidate: () => at("revalidate"),
              revalidateMs: armed === "revalidate" ? 200 : 100_000,
              channels: [lobby],
            },
          },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await using client = new RawClient(url);
    client.ws.on("message", (data: Buffer) => told.push(String(data)));
    client.ws.on("close", (code, reason) => told.push({ code, reason: String(reason) }));
    client.ws.on("unexpected-response", (_request, response) => {
      const { statusCode, rawHeaders } = response;
      told.push({ statusCode, rawHeaders });
      response.on("data", (data: Buffer) => told.push(String(data)));
      client.ws.terminate();
    });
    await client.opened().catch(() => {});
    if (client.ws.readyState === client.ws.OPEN) {
      client.send(["1", "1", "lobby", "phx_join", {}]);
      await until(() => told.length > 0);
      client.send(["1", "2", "lobby", "never", {}]);
      client.send(["1", "3", "lobby", "ask", {}]);
      news.broadcast("x");
      web.broadcast("lobby", "said", { text: "x" });
      client.send([null, "4", "phoenix", "heartbeat", {}]);
      if (armed === "revalidate") await client.closed();
      else await until(() => client.frames.some(([, ref]) => ref === "4"));
      client.send(["1", "5", "lobby", "phx_leave", {}]);
      await until(() => client.close !== undefined || client.frames.some(([, ref]) => ref === "5"));
    }
    await until(() => inspect(logs, { depth: 10 }).includes(secret));
  });
  return {
    told: inspect(told, { depth: 10, maxStringLength: 10_000 }),
    logged: inspect(logs, { depth: 10 }),
    events: inspect(events, { depth: 10 }),
  };
}

describe("a secret that is thrown", () => {
  it.each(hooks)(
    "in %s is in the log alone, with the id that the client is told (R91, R92)",
    async (hook) => {
      const { told, logged, events } = await explode(hook);
      expect(told).not.toContain(secret);
      expect(told).not.toContain("no connection");
      expect(told.length).toBeGreaterThan(2);
      expect(events).not.toContain(secret);
      expect(logged).toContain(secret);
      const id = /(?:channel_crash|join crashed)","id":"(\w+)"/.exec(told)?.[1];
      if (id !== undefined) expect(logged).toContain(`(error ${id})`);
      const isOfChannel = !["connect", "id", "lifetimeMs", "revalidate"].includes(hook);
      expect(id !== undefined).toBe(isOfChannel);
      score("R91", `secrets told when thrown in ${hook}`, "0");
    },
  );
});
