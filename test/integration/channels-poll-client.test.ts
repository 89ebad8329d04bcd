// The stock client over long-polling, and its fallback from WebSocket to that, against a server that may be killed.
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { LongPoll, Socket, type SocketConnectOption } from "phoenix";
import { afterEach, describe, expect, it } from "vitest";
import { hangUp, join, push, until, type Joined } from "./support/clients.ts";
import { startServer, type ServerProcess } from "./support/servers.ts";

type Transport = SocketConnectOption["transport"];
const polling = LongPoll as unknown as Transport;

const open: { readonly sockets: Socket[]; readonly servers: ServerProcess[] } = {
  sockets: [],
  servers: [],
};
afterEach(async () => {
  await hangUp(...open.sockets.splice(0));
  for (const server of open.servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(options: object = {}): Promise<ServerProcess> {
  const server = await startServer(options);
  open.servers.push(server);
  return server;
}

function client(url: string, options: object = {}): Socket {
  const all = { transport: polling, timeout: 5_000, ...options };
  const socket = new Socket(`${url.replace("http", "ws")}/socket`, all);
  open.sockets.push(socket);
  socket.connect();
  return socket;
}

/** The name of the transport that a client speaks by. */
const transportOf = (socket: Socket): unknown =>
  (socket as unknown as { transport: { name: string } }).transport.name;

describe("the stock client over long-polling", () => {
  it("joins, pushes, gets replies, broadcasts and refusals, and leaves, without heartbeats (L29, L35, L128, L129, L132)", async () => {
    const { url } = await serve();
    expect("XMLHttpRequest" in globalThis).toBe(false);
    const [one, two] = [client(url, { heartbeatIntervalMs: 100 }), client(url)];
    const first = await join(one, "room:1");
    const second = await join(two, "room:1");
    expect(await push(first.channel, "say", { text: "hello" })).toEqual(["ok", {}]);
    for (const { told } of [first, second]) {
      await until(() => told.length === 1);
      expect(told).toEqual([{ event: "said", payload: { text: "hello" } }]);
    }
    expect(await push(first.channel, "refuse")).toEqual(["error", { reason: "no" }]);
    await expect(join(one, "room:closed")).rejects.toMatchObject({ reason: { reason: "closed" } });
    await expect(join(one, "nowhere")).rejects.toMatchObject({
      reason: { reason: "unmatched topic" },
    });
    expect(one.isConnected()).toBe(true);
    await new Promise((resolve) => first.channel.leave().receive("ok", resolve));
    await push(second.channel, "say", { text: "alone" });
    await until(() => second.told.length === 2);
    expect(first.told).toHaveLength(1);
  });

  it("sends 150 events of one turn as 100 and 50, all in order, and hears all of them (L131)", async () => {
    const { url } = await serve();
    const { channel, told } = await join(client(url), "room:1");
    const sent = Array.from({ length: 150 }, (_, n) => push(channel, "say", { text: `${n}` }));
    expect(await Promise.all(sent)).toEqual(sent.map(() => ["ok", {}]));
    await until(() => told.length === 150);
    expect(told.map(({ payload }) => (payload as { text: string }).text)).toEqual(
      Array.from({ length: 150 }, (_, n) => `${n}`),
    );
  });

  it("hears thousands of broadcasts, each once and in order (L131)", async () => {
    const { url } = await serve();
    const { channel, told } = await join(client(url), "room:1");
    expect(await push(channel, "flood", { count: 5_000 })).toEqual(["ok", {}]);
    await until(() => told.length === 5_000);
    expect(told.every(({ payload }, n) => (payload as { n: number }).n === n)).toBe(true);
  });

  it("is told that its session is gone, and joins again, when that is ended by id (L46, L124, L131)", async () => {
    const { url } = await serve();
    const socket = client(url);
    const errors: unknown[] = [];
    const closes: number[] = [];
    socket.onError((error) => void errors.push(error));
    socket.onClose((event) => void closes.push(event.code));
    const { channel } = await join(socket, "room:1");
    channel.push("kick", {});
    await until(() => closes.length === 1);
    await until(() => channel.state === "joined");
    expect(errors).toEqual([410]);
    expect(closes).toEqual([3410]);
    expect(await push(channel, "say", { text: "again" })).toEqual(["ok", {}]);
  });

  it("brings its auth token, made anew for each session (L130)", async () => {
    const { url } = await serve();
    let made = 0;
    const socket = client(url, { authToken: () => `token ${made++}` });
    const { channel } = await join(socket, "room:1");
    expect(await push(channel, "token")).toEqual(["ok", { token: "token 0" }]);
    channel.push("kick", {});
    await until(() => made === 2 && channel.state === "joined");
    expect(await push(channel, "token")).toEqual(["ok", { token: "token 1" }]);
  });

  it("sends bytes, is never sent any, and speaks JSON whatever else it is told to speak (L37, L133, L134)", async () => {
    const { url } = await serve();
    const encode = (_message: unknown, done: (text: string) => void): void => done("not JSON");
    const { channel, told } = await join(client(url, { encode }), "room:1");
    const bytes = Uint8Array.from([0, 1, 2, 255]).buffer;
    expect(await push(channel, "sum", bytes)).toEqual(["ok", { sum: 258 }]);
    // What a channel sends this client alone is an error there, which says so.
    expect(await push(channel, "bytes")).toEqual(["ok", { code: "SLUICE_PAYLOAD_REFUSED" }]);
    expect(await push(channel, "say", { text: "still here" })).toEqual(["ok", {}]);
    await until(() => told.length === 1);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "joins again by itself when its server is ended by %s and back (L124)",
    async (signal) => {
      const first = await serve();
      const port = Number(new URL(first.url).port);
      const sockets = [client(first.url), client(first.url, { transport: WebSocket })];
      const members: Joined[] = [];
      for (const socket of sockets) members.push(await join(socket, "room:1"));
      await first.end(signal);
      await until(() => sockets.every((socket) => !socket.isConnected()));
      await serve({ port });
      await until(() => members.every(({ channel }) => channel.state === "joined"));
      await until(() => sockets.every((socket) => socket.isConnected()));
      expect(await push(members[0]!.channel, "say", { text: "back" })).toEqual(["ok", {}]);
      for (const { told } of members) {
        await until(() => told.length === 1);
        expect(told).toEqual([{ event: "said", payload: { text: "back" } }]);
      }
    },
  );
});

describe("the fallback of the stock client", () => {
  /** In front of a server, a line that lets no WebSocket through. */
  async function proxied(url: string, upgrade: "refuses" | "swallows"): Promise<Server> {
    const { connect } = await import("node:net");
    const proxy = createServer((line) => {
      line.on("error", () => {});
      line.once("data", (head) => {
        if (/^upgrade: *websocket/im.test(head.toString("latin1"))) {
          if (upgrade === "refuses")
            line.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
          return;
        }
        const target = connect(Number(new URL(url).port), "127.0.0.1");
        target.on("error", () => line.destroy());
        target.write(head);
        line.pipe(target).pipe(line);
      });
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    return proxy;
  }

  it.each(["refuses", "swallows"] as const)(
    "is long-polling where the network %s WebSockets (L136)",
    async (upgrade) => {
      const { url } = await serve();
      const proxy = await proxied(url, upgrade);
      try {
        const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
        const stored = new Map<string, string>();
        const sessionStorage = {
          getItem: (key: string) => stored.get(key) ?? null,
          setItem: (key: string, value: string) => void stored.set(key, value),
        };
        const options = { transport: WebSocket, longPollFallbackMs: 300, sessionStorage };
        const socket = client(address, options);
        const { channel } = await join(socket, "room:1");
        expect(transportOf(socket)).toBe("LongPoll");
        expect(await push(channel, "say", { text: "round about" })).toEqual(["ok", {}]);
        expect([...stored]).toEqual([["phx:fallback:LongPoll", "true"]]);
      } finally {
        proxy.close();
      }
    },
  );

  it("stays a WebSocket where its heartbeat is answered in time (L129, L136)", async () => {
    const { url } = await serve();
    const socket = client(url, { transport: WebSocket, longPollFallbackMs: 1_000 });
    const { channel } = await join(socket, "room:1");
    const answered = await new Promise((resolve) => socket.ping(resolve));
    expect(answered).toBeGreaterThanOrEqual(0);
    expect(transportOf(socket)).toBe("WebSocket");
    expect(await push(channel, "say", { text: "straight" })).toEqual(["ok", {}]);
  });
});
