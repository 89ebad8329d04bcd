// An endpoint on a server that is somebody else's, whose other listeners would answer what is the endpoint's.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { rawClient } from "./support/clients.ts";
import { PollClient, ask } from "./support/polls.ts";

interface Topics {
  lobby: { out: { hello: object } };
}

let endpoints = 0;

/** Starts an endpoint on a server, which ends when the body has. */
async function attached(
  server: Server,
  mount: `/${string}`,
  body: () => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics, {}>(`web ${endpoints++}`);
  const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      web: web.child({
        server,
        routes: { "/ours": (_request, response) => void response.end("ours") },
        sockets: { [mount]: { connect: () => ({}), channels: [lobby], longPoll: true } },
      }),
    },
  });
  await body();
}

interface Given {
  readonly server: Server;
  readonly url: string;
  /** What its listener for requests was asked. */
  readonly asked: string[];
}

/** A server whose listener answers all that it hears, as that of a framework. */
async function given(body: (given: Given) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    response.writeHead(404).end("theirs");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await withSystem(() => body({ server, asked, url: `http://127.0.0.1:${port}` }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const emitOf = (server: object): unknown => Reflect.get(server, "emit");

async function works(url: string): Promise<void> {
  const poll = new PollClient(url);
  expect(await poll.open()).toMatchObject({ http: 200, status: 410 });
  expect(await poll.post(["1", "1", "lobby", "phx_join", {}])).toMatchObject({ status: 200 });
  expect(await poll.messages(1)).toMatchObject([
    ["1", "1", "lobby", "phx_reply", { status: "ok" }],
  ]);
  // So its last answer is known to have arrived, and nobody waits for it at the end.
  const waiting = poll.poll();
  await using client = await rawClient(url);
  expect((await client.ask(["1", "1", "lobby", "phx_join", {}]))[4]).toMatchObject({
    status: "ok",
  });
  waiting.catch(() => {});
}

describe("an endpoint on a server of somebody else", () => {
  it("takes what is its own before listeners that came first, and before those that come later", () =>
    given(async ({ server, url, asked }) => {
      const later: string[] = [];
      await attached(server, "/socket", async () => {
        server.on("request", ({ url: path }) => later.push(String(path)));
        await works(url);
        expect(await ask(`${url}/ours`)).toMatchObject({ http: 200, body: "ours" });
        expect((await ask(`${url}/socket/websocket`)).http).toBe(400);
        expect([asked, later]).toEqual([[], []]);
        expect(await ask(`${url}/theirs`)).toMatchObject({ http: 404, body: "theirs" });
        expect([asked, later]).toEqual([["GET /theirs"], ["/theirs"]]);
      });
    }));

  it("keeps its upgrades from a listener that refuses all but its own, and leaves it those", () =>
    given(async ({ server, url }) => {
      const theirs = new WebSocketServer({ server, path: "/theirs" });
      theirs.on("connection", (ws) => ws.send("hello"));
      await attached(server, "/socket", async () => {
        await works(url);
        const their = new WebSocket(`${url.replace("http", "ws")}/theirs`);
        expect(String((await once(their, "message"))[0])).toBe("hello");
        their.terminate();
      });
    }));

  it("leaves it open, as it was, when it ends", () =>
    given(async ({ server, url, asked }) => {
      const events = ["upgrade", "request"];
      const before = events.map((event) => server.listeners(event));
      await attached(server, "/socket", () => works(url));
      expect(events.map((event) => server.listeners(event))).toEqual(before);
      expect(Object.hasOwn(server, "emit")).toBe(false);
      expect(server.listening).toBe(true);
      expect((await ask(`${url}/socket/longpoll`)).body).toBe("theirs");
      expect(asked).toEqual(["GET /socket/longpoll"]);
    }));

  it("shares it with another, whichever ends first, and comes again without a trace of before", () =>
    given(async ({ server, url, asked }) => {
      await attached(server, "/other", async () => {
        const emit = emitOf(server);
        for (let time = 0; time < 3; time++) await attached(server, "/socket", () => works(url));
        expect(emitOf(server)).toBe(emit);
        expect((await ask(`${url}/other/longpoll?vsn=2.0.0`)).status).toBe(410);
        expect(asked).toEqual([]);
      });
      expect(Object.hasOwn(server, "emit")).toBe(false);
    }));

  it("lets what others have put before it be", () =>
    given(async ({ server, url, asked }) => {
      const seen: string[] = [];
      const own = function (this: Server, event: string, ...args: unknown[]): boolean {
        seen.push(event);
        return (emit as (...all: unknown[]) => boolean).apply(this, [event, ...args]);
      };
      let emit: unknown;
      await attached(server, "/socket", async () => {
        emit = emitOf(server);
        server.emit = own as Server["emit"];
        await works(url);
      });
      expect(emitOf(server)).toBe(own);
      expect((await ask(`${url}/socket/longpoll`)).body).toBe("theirs");
      expect(asked).toEqual(["GET /socket/longpoll"]);
      await attached(server, "/socket", () => works(url));
      expect(asked).toHaveLength(1);
      expect(seen).toContain("request");
    }));
});
