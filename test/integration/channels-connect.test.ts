// What a connection brings, and what of it `connect` is told: paths with variables, tokens, sub-protocols, facts.
import { once } from "node:events";
import { connect as dial } from "node:net";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type ConnectInfo } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { Socket } from "phoenix";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { hangUp, join, rawClient, until } from "./support/clients.ts";

interface Topics {
  lobby: { join(params: object): { readonly here: string } };
}

/** A connection that was let in. */
interface Seen extends Pick<ConnectInfo, "headers" | "remoteAddress" | "remotePort" | "url"> {
  readonly authToken: string | undefined;
  readonly params: unknown;
  readonly plain: unknown;
}

const prefix = "base64url.bearer.phx.";

/** Serves at `/ws/admin`, and at `/tenants/:tenant/:_any`, while `body` runs. */
async function served(
  body: (url: string, seen: Seen[], reasons: string[]) => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics, { readonly here: string }>("web");
  const lobby = web.channel("lobby", {
    schemas: "trusted",
    join: (_params, { socket }) => ({ assigns: {}, reply: { here: socket.assigns.here } }),
  });
  const seen: Seen[] = [];
  const mount = {
    connect(plain: Readonly<Record<string, string>>, info: ConnectInfo) {
      const { headers, remoteAddress, remotePort, url, authToken, params } = info;
      seen.push({ headers, remoteAddress, remotePort, url, authToken, params, plain });
      return { here: plain["tenant"] ?? "nowhere" };
    },
    channels: [lobby],
  };
  await withSystem(async () => {
    const reasons: string[] = [];
    using _refused = attach("sluice.channels.refused", ({ reason }) => reasons.push(reason));
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          sockets: { "/ws/admin": mount, "/tenants/:tenant/:_any": mount, "/tenants/x/y": mount },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body(url.replace("http", "ws"), seen, reasons);
  });
}

/** Asks for an upgrade: its status, and the sub-protocol it was given. */
async function knock(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly protocol: string | undefined }> {
  const ws = new WebSocket(url, { headers });
  ws.on("error", () => {});
  const upgraded = once(ws, "upgrade").then(([response]) => response as unknown);
  const refused = once(ws, "unexpected-response").then(([, response]) => response as unknown);
  const answer = (await Promise.race([upgraded, refused])) as {
    readonly statusCode: number;
    readonly headers: Record<string, string>;
  };
  for (const outcome of [upgraded, refused]) outcome.catch(() => {});
  ws.terminate();
  return { status: answer.statusCode, protocol: answer.headers["sec-websocket-protocol"] };
}

/** Says one message as it is; resolves with the first that comes. */
async function asked(url: string, message: unknown): Promise<unknown> {
  const ws = new WebSocket(url);
  await once(ws, "open");
  ws.send(JSON.stringify(message));
  const [data] = (await once(ws, "message")) as [Buffer];
  ws.terminate();
  return JSON.parse(String(data));
}

describe("a mount", () => {
  it("at a nested path is joined as any other, and is nowhere else (L1, L55, C1)", () =>
    served(async (url, seen) => {
      const socket = new Socket(`${url}/ws/admin`);
      socket.connect();
      expect((await join(socket, "lobby")).reply).toEqual({ here: "nowhere" });
      await hangUp(socket);
      for (const path of ["/ws", "/ws/admin/more", "/admin"])
        expect((await knock(`${url}${path}/websocket?vsn=2.0.0`)).status).toBe(404);
      expect(seen).toHaveLength(1);
      const response = { here: "nowhere" };
      const payload = { status: "ok", response };
      expect(
        await asked(`${url}/ws/admin/websocket?vsn=2.0.0`, ["7", "1", "lobby", "phx_join", {}]),
      ).toEqual(["7", "1", "lobby", "phx_reply", payload]);
      expect(
        await asked(`${url}/ws/admin/websocket?vsn=1.0.0`, {
          topic: "lobby",
          event: "phx_join",
          payload: {},
          ref: "1",
          join_ref: "7",
        }),
      ).toEqual({ topic: "lobby", event: "phx_reply", payload, ref: "1" });
    }));

  it("whose path has variables tells them as params, decoded, whatever the query says (L56)", () =>
    served(async (url, seen) => {
      const socket = new Socket(`${url}/tenants/a%2Fb%20c/z`, {
        params: { tenant: "evil", user: "u1", __proto__: { polluted: 1 } },
      });
      socket.connect();
      expect((await join(socket, "lobby")).reply).toEqual({ here: "a/b c" });
      expect(seen[0]!.params).toEqual({ tenant: "a/b c", user: "u1" });
      expect(seen[0]!.plain).toEqual({ tenant: "a/b c", user: "u1" });
      await hangUp(socket);
      // A mount without variables comes first.
      await knock(`${url}/tenants/x/y/websocket?vsn=2.0.0&tenant=q`);
      expect(seen[1]!.params).toEqual({ tenant: "q" });
      expect((await knock(`${url}/tenants/%E0%A4/z/websocket?vsn=2.0.0`)).status).toBe(404);
      expect((await knock(`${url}/tenants//z/websocket?vsn=2.0.0`)).status).toBe(404);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    }));
});

describe("an auth token", () => {
  it("of the stock client reaches `connect`, anew for each connection, and nobody else (L130)", () =>
    served(async (url, seen) => {
      let count = 0;
      const socket = new Socket(`${url}/ws/admin`, {
        authToken: (() => `tökén ${++count}?>`) as unknown as string,
      });
      socket.connect();
      await join(socket, "lobby");
      expect(seen[0]!.authToken).toBe("tökén 1?>");
      expect(seen[0]!.headers.get("sec-websocket-protocol")).toBe("phoenix");
      const { conn } = socket as unknown as { readonly conn: WebSocket };
      expect(conn.protocol).toBe("phoenix");
      conn.close(4000);
      await until(() => seen.length === 2);
      expect(seen[1]!.authToken).toBe("tökén 2?>");
      await hangUp(socket);
    }));

  it("that cannot be decoded, is doubled or too long is refused with 403, and is never told (L130)", () =>
    served(async (url, seen, reasons) => {
      const path = `${url}/ws/admin/websocket?vsn=2.0.0`;
      const offers = [
        [`phoenix, ${prefix}a`, "an auth token that is no base64"],
        [`phoenix, ${prefix}%%%`, "an auth token that is no base64"],
        [`phoenix, ${prefix}YQ, ${prefix}Yg`, "more than one auth token"],
        [`phoenix, ${prefix}${"YWFh".repeat(1_400)}`, "an auth token over 4096 bytes"],
      ] as const;
      for (const [offer, reason] of offers) {
        const { status } = await knock(path, { "sec-websocket-protocol": offer });
        expect([offer, status, reasons.pop()]).toEqual([offer, 403, reason]);
      }
      // A slash is no character of a sub-protocol, and comes from no browser; it is one of the token.
      const answer = await knock(path, { "sec-websocket-protocol": `${prefix}Pz8/, phoenix` });
      expect(answer).toEqual({ status: 101, protocol: "phoenix" });
      expect(seen.map(({ authToken }) => authToken)).toEqual(["???"]);
    }));
});

describe("sub-protocols", () => {
  it("one that fits is chosen, none is fine, others are refused (L51, L66)", () =>
    served(async (url, _seen, reasons) => {
      const path = `${url}/ws/admin/websocket?vsn=2.0.0`;
      const chosen = { status: 101, protocol: "phoenix" };
      expect(await knock(path)).toEqual({ status: 101, protocol: undefined });
      expect(await knock(path, { "sec-websocket-protocol": "phoenix" })).toEqual(chosen);
      expect(await knock(path, { "sec-websocket-protocol": "other, phoenix" })).toEqual(chosen);
      expect((await knock(path, { "sec-websocket-protocol": "other" })).status).toBe(403);
      expect(reasons).toEqual(["sub-protocols without `phoenix`"]);
    }));
});

describe("connect", () => {
  it("is told headers that no other page can send, the peer and what was asked for (L7–L13, L52)", () =>
    served(async (url, seen) => {
      const { port } = new URL(url);
      const ws = new WebSocket(`${url}/ws/admin/websocket?vsn=2.0.0&filter%5Bkind%5D=new&x=1`, {
        headers: {
          "x-request-id": "r1",
          "x-twice": ["a", "b"],
          "x-phoenix-longpoll-token": "secret",
          traceparent: "00-abc-def-01",
          tracestate: "vendor=1",
          "sec-fetch-site": "none",
          "user-agent": "tester",
          authorization: "Basic secret",
          host: `localhost:${port}`,
        },
      });
      await once(ws, "open");
      const { headers, remoteAddress, remotePort, url: asked, params, plain } = seen[0]!;
      expect(Object.fromEntries(headers)).toEqual({
        "x-request-id": "r1",
        "x-twice": "a, b",
        traceparent: "00-abc-def-01",
        tracestate: "vendor=1",
        "user-agent": "tester",
        "sec-websocket-version": "13",
        "sec-websocket-key": expect.any(String) as string,
        "sec-websocket-extensions": expect.any(String) as string,
      });
      expect(remoteAddress).toBe("127.0.0.1");
      const line = (ws as unknown as { readonly _socket: { readonly localPort: number } })._socket;
      expect(remotePort).toBe(line.localPort);
      expect(asked.href).toBe(
        `http://localhost:${port}/ws/admin/websocket?vsn=2.0.0&filter%5Bkind%5D=new&x=1`,
      );
      expect(params).toEqual({ filter: { kind: "new" }, x: "1" });
      expect(plain).toEqual({ x: "1" });
      ws.terminate();
    }));
});

describe("the address and port of a client that is gone", () => {
  it.each([
    ["remoteAddress", true],
    ["remotePort", true],
    ["url", false],
  ] as const)("are known to whoever has read its %s in `connect`: %s", (name, known) =>
    withSystem(async () => {
      const web = endpoint<Topics, { readonly info: ConnectInfo }>("web");
      const left = Promise.withResolvers<ConnectInfo>();
      const lobby = web.channel("lobby", {
        schemas: "trusted",
        join: (_params, { socket }) => ({ assigns: socket.assigns, reply: { here: "" } }),
        leave: ({ assigns }) => left.resolve(assigns.info),
      });
      const connect = (_params: object, info: ConnectInfo): { readonly info: ConnectInfo } => {
        void info[name];
        return { info };
      };
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            // Where no limit counts addresses, nobody else asks for them.
            limits: { maxConnections: 10, maxConnectionsPerAddress: 10 },
            sockets: { "/socket": { connect, channels: [lobby] } },
          }),
        },
      });
      const client = await rawClient((await app.children.web.call.address()).url);
      await client.ask(["1", "1", "lobby", "phx_join", {}]);
      await client[Symbol.asyncDispose]();
      const { remoteAddress, remotePort } = await left.promise;
      expect([remoteAddress, remotePort > 0]).toEqual([known ? "127.0.0.1" : "", known]);
    }),
  );
});

describe("an upgrade whose headers are wrong", () => {
  it("is refused with 400 and no body, and `connect` is never asked (C2)", () =>
    served(async (url, seen, reasons) => {
      const { host, port } = new URL(url);
      const good = {
        Upgrade: "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "phoenix, x",
      };
      /** All that is answered, until the line is closed or open. */
      const answered = async (change: Record<string, string>): Promise<string> => {
        const line = dial(Number(port), "127.0.0.1");
        const headers = { Host: host, Connection: "Upgrade", ...good, ...change };
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        line.write(`GET /ws/admin/websocket?vsn=2.0.0 HTTP/1.1\r\n${lines.join("")}\r\n`);
        let answer = "";
        for await (const chunk of line) {
          answer += String(chunk);
          if (answer.startsWith("HTTP/1.1 101 ")) break;
        }
        return answer;
      };
      const refusal =
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: 0\r\n\r\n";
      for (const [name, value, reason] of [
        ["Sec-WebSocket-Key", "short", "a Sec-WebSocket-Key that is none"],
        ["Sec-WebSocket-Version", "12", "a Sec-WebSocket-Version that is none"],
        ["Sec-WebSocket-Protocol", "phoenix, phoenix", "a sub-protocol that is doubled"],
        ["Sec-WebSocket-Protocol", "phoenix,", "sub-protocols that are no list"],
        ["Sec-WebSocket-Protocol", "phoenix, a/b", "sub-protocols that are no list"],
        ["Sec-WebSocket-Protocol", "phoenix, a b", "sub-protocols that are no list"],
      ] as const) {
        expect([value, await answered({ [name]: value })]).toEqual([value, refusal]);
        expect(reasons.pop()).toBe(reason);
      }
      expect(seen).toEqual([]);
      expect(await answered({})).toMatch(/^HTTP\/1.1 101 /);
      expect(seen).toHaveLength(1);
    }));
});
