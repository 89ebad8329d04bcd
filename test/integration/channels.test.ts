// The stock client of Phoenix, over real sockets: what it is promised.
import { connect, createServer, type Socket as NetSocket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { Refused, endpoint, fields, type Endpoint, type EndpointOptions } from "sluice/channels";
import { topic } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { expectErrors } from "./support/expected.ts";
import { hangUp, join, push, stockClient, until } from "./support/clients.ts";

interface UserTopic {
  join(params: { readonly device: string }): { readonly unread: number };
  in: {
    ack(payload: { readonly id: string }): { readonly unread: number };
    tell(payload: { readonly text: string }): void;
    crash(payload: object): void;
  };
  out: { push: { readonly text: string }; hidden: { readonly text: string } };
}
interface Topics {
  "user:*": UserTopic;
  lobby: { out: { hello: { readonly n: number } } };
}
const prices = topic<{ readonly price: number }>("prices");

interface Served {
  readonly url: string;
  readonly web: Endpoint<Topics, { readonly user: string }>;
  /** What happened on the server. */
  readonly seen: string[];
}

function served(
  body: (served: Served) => Promise<void>,
  users: Set<string> = new Set(["1", "2"]),
  options: Partial<EndpointOptions<{ readonly user: string }>> = {},
): Promise<void> {
  const web = endpoint<Topics, { readonly user: string }>("web");
  const seen: string[] = [];
  const user = web.channel("user:*", {
    schemas: {
      join: fields({ device: "string" }),
      ack: fields({ id: "string" }),
      tell: fields({ text: "string" }),
      crash: fields({}),
    },
    join({ device }, { key, socket }) {
      if (key !== socket.assigns.user) throw new Refused({ reason: "unauthorized" });
      return { assigns: { device, unread: 3 }, reply: { unread: 3 } };
    },
    on: {
      ack: (_payload, channel) => ({ unread: (channel.assigns.unread -= 1) }),
      tell({ text }, channel) {
        seen.push(`${channel.socket.id} ${channel.assigns.device} ${text}`);
        if (text === "mutate")
          expect(() => Object.assign(channel.socket.assigns, { user: "2" })).toThrow(TypeError);
      },
      crash() {
        throw new Error("a secret");
      },
    },
    intercept: {
      hidden: ({ text }, channel) =>
        text === channel.assigns.device
          ? undefined
          : { text: `${text} for ${channel.assigns.device}` },
    },
    leave: (channel) => void seen.push(`left ${channel.topic} ${channel.assigns.device}`),
  });
  const lobby = web.channel("lobby", {
    join: () => ({ assigns: {} }),
    subscribe: () => [prices],
    info: ({ price }, channel) => channel.push("hello", { n: price }),
  });
  return withSystem(async () => {
    using _errors = expectErrors();
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          ...(options as object),
          sockets: {
            "/socket": {
              connect({ user: name = "" }) {
                if (!users.has(name)) throw new Refused({ reason: "unauthorized" });
                return { user: name };
              },
              id: ({ user: name }) => `users:${name}`,
              channels: [user, lobby],
            },
          },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body({ url, web, seen });
  });
}

describe("the stock client", () => {
  it("joins, pushes, is answered, hears broadcasts in order, leaves (C30, C31, C37)", () =>
    served(async ({ url, web, seen }) => {
      const socket = stockClient(url, { user: "1" });
      const { channel, reply, told } = await join(socket, "user:1", { device: "phone" });
      expect(reply).toEqual({ unread: 3 });
      expect(await push(channel, "ack", { id: "x" })).toEqual(["ok", { unread: 2 }]);
      for (let n = 0; n < 1_000; n++) web.broadcast("user:1", "push", { text: String(n) });
      await until(() => told.length === 1_000);
      expect(told.map(({ payload }) => (payload as { text: string }).text)).toEqual(
        Array.from({ length: 1_000 }, (_, n) => String(n)),
      );
      await new Promise<void>((resolve) => channel.leave().receive("ok", () => resolve()));
      await until(() => seen.length === 1);
      expect(seen).toEqual(["left user:1 phone"]);
      await hangUp(socket);
    }));

  it("is refused where it may not join, and hears nothing of it: on push, on broadcast, after a disconnect (C9, R74, R75)", () => {
    const users = new Set(["1", "2"]);
    return served(async ({ url, web }) => {
      const mine = stockClient(url, { user: "1" });
      const theirs = stockClient(url, { user: "2" });
      await expect(join(mine, "user:2", { device: "phone" })).rejects.toMatchObject({
        reason: { reason: "unauthorized" },
      });
      const { told } = await join(mine, "user:1", { device: "phone" });
      const other = await join(theirs, "user:2", { device: "phone" });
      const heard: unknown[] = [];
      mine.onMessage((message) => void heard.push(message));
      web.broadcast("user:2", "push", { text: "for 2" });
      await until(() => other.told.length === 1);

      users.delete("1");
      let refusals = 0;
      mine.onError(() => void refusals++);
      web.disconnect("users:1");
      await until(() => refusals >= 2);
      web.broadcast("user:1", "push", { text: "for 1" });
      web.broadcast("user:2", "push", { text: "for 2 again" });
      await until(() => other.told.length === 2);
      const leaks = heard.filter((message) => JSON.stringify(message).includes("for ")).length;
      score("R74", "broadcasts that reached a client who may not hear them, of 3", `${leaks}`);
      expect(told).toEqual([]);
      expect(leaks).toBe(0);
      expect(theirs.isConnected()).toBe(true);

      // Let in again, it comes back by itself and joins its own topic.
      users.add("1");
      await until(() => mine.isConnected());
      await until(() => JSON.stringify(heard).includes("phx_reply"));
      web.broadcast("user:1", "push", { text: "welcome" });
      await until(() => told.length === 1);
      await hangUp(mine, theirs);
    }, users);
  });

  it("rejoins after its channel has crashed; the others do not notice (C46)", () =>
    served(async ({ url, web }) => {
      const socket = stockClient(url, { user: "1" });
      const { channel, told } = await join(socket, "user:1", { device: "phone" });
      const lobby = await join(socket, "lobby");
      const errors: unknown[] = [];
      channel.onError((reason) => void errors.push(reason));
      channel.push("crash", {});
      await until(() => errors.length === 1);
      expect(errors).toEqual([
        { reason: "channel_crash", id: expect.stringMatching(/^[0-9a-z]{10}$/) as unknown },
      ]);
      expect(lobby.channel.state).toBe("joined");
      await until(() => channel.state === "joined");
      web.broadcast("user:1", "push", { text: "back" });
      await until(() => told.length === 1);
      expect(await push(channel, "ack", { id: "x" })).toEqual(["ok", { unread: 2 }]);
      await hangUp(socket);
    }));

  it("has its own state per channel, and cannot change what the connection was given (C12, C13, L61)", () =>
    served(async ({ url, seen }) => {
      const phone = stockClient(url, { user: "1" });
      const tablet = stockClient(url, { user: "1" });
      const one = await join(phone, "user:1", { device: "phone" });
      const two = await join(tablet, "user:1", { device: "tablet" });
      await push(one.channel, "ack", { id: "x" });
      expect(await push(two.channel, "ack", { id: "x" })).toEqual(["ok", { unread: 2 }]);
      expect(await push(one.channel, "tell", { text: "mutate" })).toEqual(["ok", {}]);
      expect(seen).toEqual(["users:1 phone mutate"]);
      await hangUp(phone, tablet);
    }));

  it("gets what the schema lets through, and an error for the rest", () =>
    served(async ({ url }) => {
      const socket = stockClient(url, { user: "1" });
      await expect(join(socket, "user:1", {})).rejects.toMatchObject({
        reason: { reason: "invalid payload" },
      });
      const { channel } = await join(socket, "user:1", { device: "phone" });
      expect(await push(channel, "ack", { id: 7 })).toEqual([
        "error",
        { reason: "invalid payload" },
      ]);
      expect(await push(channel, "ack", { id: "x", more: 1 })).toEqual(["ok", { unread: 2 }]);
      await hangUp(socket);
    }));

  it("gets intercepted broadcasts as its channel turns them, or not at all (C32, C40, L3)", () =>
    served(async ({ url, web }) => {
      const phone = stockClient(url, { user: "1" });
      const tablet = stockClient(url, { user: "1" });
      const one = await join(phone, "user:1", { device: "phone" });
      const two = await join(tablet, "user:1", { device: "tablet" });
      web.broadcast("user:1", "hidden", { text: "phone" });
      web.broadcast("user:1", "hidden", { text: "x" });
      await until(() => one.told.length === 1 && two.told.length === 2);
      expect(one.told.map(({ payload }) => payload)).toEqual([{ text: "x for phone" }]);
      expect(two.told.map(({ payload }) => payload)).toEqual([
        { text: "phone for tablet" },
        { text: "x for tablet" },
      ]);
      await hangUp(phone, tablet);
    }));

  it("is told what its channel pushes, and that a reply without content is {} (L71)", () =>
    served(async ({ url }) => {
      const socket = stockClient(url, { user: "1" });
      const { channel } = await join(socket, "user:1", { device: "phone" });
      expect(await push(channel, "tell", { text: "" })).toEqual(["ok", {}]);
      const { told } = await join(socket, "lobby");
      prices.broadcast({ price: 7 });
      await until(() => told.length === 1);
      expect(told).toEqual([{ event: "hello", payload: { n: 7 } }]);
      await hangUp(socket);
    }));

  it("hears of bus topics through its channel, until it leaves (C33, C43)", () =>
    served(async ({ url }) => {
      const socket = stockClient(url, { user: "1" });
      const { channel, told } = await join(socket, "lobby");
      prices.broadcast({ price: 7 });
      await until(() => told.length === 1);
      expect(told).toEqual([{ event: "hello", payload: { n: 7 } }]);
      await new Promise<void>((resolve) => channel.leave().receive("ok", () => resolve()));
      await hangUp(socket);
    }));

  it("that is gone leaves its channels, after what it said last (C35, C47, L18)", () =>
    served(async ({ url, seen }) => {
      const socket = stockClient(url, { user: "1" });
      const { channel } = await join(socket, "user:1", { device: "phone" });
      channel.push("tell", { text: "bye" });
      await hangUp(socket);
      await until(() => seen.length === 2);
      expect(seen).toEqual(["users:1 phone bye", "left user:1 phone"]);
    }));

  it("comes back after its connection was destroyed on the way, and joins again", () =>
    served(async ({ url, web }) => {
      const lines: NetSocket[] = [];
      const proxy = createServer((line) => {
        const server = connect(Number(new URL(url).port), "127.0.0.1");
        line.pipe(server).pipe(line);
        for (const end of [line, server]) end.on("error", () => {});
        line.on("close", () => server.destroy());
        server.on("close", () => line.destroy());
        lines.push(line);
      }).listen(0, "127.0.0.1");
      await once(proxy, "listening");
      const { port } = proxy.address() as AddressInfo;
      const socket = stockClient(`http://127.0.0.1:${port}`, { user: "1" });
      const { told, channel } = await join(socket, "user:1", { device: "phone" });
      let closes = 0;
      socket.onClose(() => void closes++);
      for (const line of lines) line.resetAndDestroy();
      await until(() => closes === 1);
      await until(() => channel.state === "joined" && socket.isConnected());
      web.broadcast("user:1", "push", { text: "back" });
      await until(() => told.length === 1);
      expect(told).toEqual([{ event: "push", payload: { text: "back" } }]);
      await hangUp(socket);
      proxy.close();
      for (const line of lines) line.destroy();
    }));
});

describe("an endpoint", () => {
  it("flushes and closes 1012 when it stops; its clients come back to the next one (C44)", async () => {
    const codes: number[] = [];
    const events: unknown[] = [];
    using _closed = attach("sluice.channels.closed", ({ code }) => codes.push(code));
    await served(async ({ url, web }) => {
      const socket = stockClient(url, { user: "1" });
      await join(socket, "user:1", { device: "phone" });
      socket.onMessage((message) => void events.push(message));
      socket.onClose((event) => {
        events.push(event.code);
        socket.disconnect();
      });
      for (let n = 0; n < 100; n++) web.broadcast("user:1", "push", { text: String(n) });
    });
    await until(() => events.length === 101);
    expect(events.at(-1)).toBe(1012);
    expect(codes).toEqual([1012]);
  });

  it("counts broadcasts that nobody has joined for", async () => {
    const topics: string[] = [];
    using _unreached = attach("sluice.pubsub.unreached", (event) => topics.push(event.topic));
    await served(async ({ web }) => {
      web.broadcast("user:9", "push", { text: "" });
    });
    expect(topics).toEqual(["channel:web:user:9"]);
  });

  it("refuses payloads that are no plain objects, or too large, to the caller alone", () =>
    served(async ({ url, web }) => {
      const socket = stockClient(url, { user: "1" });
      const { told } = await join(socket, "user:1", { device: "phone" });
      for (const text of [1n, "x".repeat(2 ** 20)])
        expect(() => web.broadcast("user:1", "push", { text } as never)).toThrow(
          expect.objectContaining({ code: "SLUICE_PAYLOAD_REFUSED" }),
        );
      for (const payload of ['{"text":"text"}', "]]", 1, null, undefined, () => {}])
        for (const topic of ["user:1", "user:2"] as const)
          expect(() => web.broadcast(topic, "push", payload as never)).toThrow(
            expect.objectContaining({ code: "SLUICE_PAYLOAD_REFUSED" }),
          );
      web.broadcast("user:1", "push", { text: "fine" });
      await until(() => told.length > 0);
      expect(told).toEqual([{ event: "push", payload: { text: "fine" } }]);
      await hangUp(socket);
    }));

  it("of one key defines channels once", () =>
    withSystem(async () => {
      const one = endpoint<Topics>("twice");
      const two = endpoint<Topics>("twice");
      const channel = one.channel("lobby", { join: () => ({ assigns: {} }) });
      one.broadcast("lobby", "hello", { n: 1 });
      two.broadcast("lobby", "hello", { n: 1 });
      two.channel("lobby", { join: () => ({ assigns: {} }) });
      expect(() => two.broadcast("lobby", "hello", { n: 1 })).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
      const options = {
        port: 0,
        sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
      };
      expect(() => endpoint<Topics>("elsewhere").child(options)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    }));
});
