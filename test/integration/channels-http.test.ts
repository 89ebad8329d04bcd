// Who gets as far as a WebSocket, and what an endpoint answers besides, on a server of its own and on one that is there.
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { startSupervisor, withSystem } from "sluice";
import { Refused, endpoint, type ConnectInfo, type EndpointOptions } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { expectErrors } from "./support/expected.ts";
import { rawClient, until } from "./support/clients.ts";

interface Topics {
  lobby: { out: { hello: object } };
}

async function served(
  options: object,
  body: (url: string, infos: ConnectInfo[]) => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics, {}>("web");
  const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
  const infos: ConnectInfo[] = [];
  const all = {
    port: 0,
    sockets: {
      "/socket": {
        async connect({ user }: Readonly<Record<string, string>>, info: ConnectInfo) {
          // Read while the request is there.
          const { headers, remoteAddress, remotePort, url, authToken, params, signal } = info;
          infos.push({ headers, remoteAddress, remotePort, url, authToken, params, signal });
          if (user === "nobody") throw new Refused({ reason: "a secret" });
          if (user === "crash") throw new Error("a secret");
          if (user === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
          return {};
        },
        id: () => "everybody",
        channels: [lobby],
      },
    },
    ...options,
  } as unknown as EndpointOptions<{}>;
  await withSystem(async () => {
    using _errors = expectErrors();
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: { web: web.child(all) },
    });
    const { url } = await app.children.web.call.address();
    await body(url, infos);
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

function get(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method, agent: false }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += String(data)));
      response.on("end", () =>
        resolve({ status: response.statusCode!, text, headers: response.headers }),
      );
    })
      .on("error", reject)
      .end();
  });
}

/** What a raw text is answered with. */
async function say(url: string, text: string): Promise<string> {
  const line = connect(Number(new URL(url).port), "127.0.0.1");
  let heard = "";
  line.on("data", (data) => (heard += String(data)));
  line.on("error", () => {});
  line.write(text.replaceAll("\n", "\r\n"));
  await once(line, "close");
  return heard;
}

const upgrade = (path: string, more = "", host = "localhost"): string =>
  `GET ${path} HTTP/1.1\nHost: ${host}\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n${more}\n`;
const path = "/socket/websocket?vsn=2.0.0";

describe("connecting", () => {
  it("lets in pages of its own and programs, nobody else's pages (L20, L50, R72)", () =>
    served({}, async (url) => {
      for (const origin of [url, undefined, url.replace("127.0.0.1", "localhost")]) {
        const headers = origin?.includes("localhost") ? { host: new URL(origin).host } : {};
        await using _client = await rawClient(url, { ...(origin && { origin }), headers });
      }
      for (const origin of [
        "https://evil.example",
        "null",
        "file://",
        `${url}.evil.example`,
        "http://127.0.0.1",
        `https://${new URL(url).host}`,
      ])
        await expect(rawClient(url, { origin })).rejects.toMatchObject({ statusCode: 403 });
    }));

  it("refuses a host that is none of its names, and a cookie without an origin (R81)", () =>
    served({}, async (url) => {
      for (const headers of [{ host: "evil.example" }, { cookie: "session=1" }])
        await expect(rawClient(url, { headers })).rejects.toMatchObject({ statusCode: 403 });
    }));

  it("lets in the origins and hosts that are listed", () =>
    served(
      { checkOrigin: ["https://*.example.com"], allowedHosts: ["app.example.com"] },
      async (url) => {
        const headers = { host: "app.example.com" };
        await using _one = await rawClient(url, { origin: "https://www.example.com", headers });
        await expect(
          rawClient(url, { origin: "https://evilexample.com", headers }),
        ).rejects.toMatchObject({ statusCode: 403 });
      },
    ));

  it("refuses versions it does not speak (L24)", () =>
    served({}, async (url) => {
      for (const query of [
        "vsn=1.1.0",
        "vsn=1",
        "vsn=2.1.0",
        "vsn=3.0.0",
        "vsn=2",
        "vsn=abc",
        "vsn[]=2.0.0",
      ])
        await expect(rawClient(url, {}, query)).rejects.toMatchObject({ statusCode: 403 });
      await using _client = await rawClient(url, {}, "vsn=2.0.7");
    }));

  it("is refused by `connect` with 403, and crashes with 500; neither says more (C7, L21)", () =>
    served({}, async (url) => {
      for (const [user, status] of [
        ["nobody", "403 Forbidden"],
        ["crash", "500 Internal Server Error"],
      ] as const) {
        const answer = await say(url, upgrade(`${path}&user=${user}`));
        expect(answer).toBe(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      }
    }));

  it("tells `connect` the params and harmless headers alone, no cookie and no session (C7, L14, L67)", () =>
    served({}, async (url, infos) => {
      await using _client = await rawClient(
        url,
        {
          origin: url,
          headers: { cookie: "s=1", authorization: "b", "x-trace": "t", "user-agent": "test" },
        },
        "vsn=2.0.0&user=slow&filter%5Bkind%5D=new&",
      );
      const [info] = infos;
      expect(info!.params).toEqual({ user: "slow", filter: { kind: "new" } });
      expect(info!.remoteAddress).toBe("127.0.0.1");
      expect(Object.fromEntries(info!.headers)).toMatchObject({
        "x-trace": "t",
        "user-agent": "test",
      });
      expect(
        [...info!.headers.keys()].filter((name) => /cookie|auth|host|origin/.test(name)),
      ).toEqual([]);
    }));

  it("answers what is no upgrade with 400, other paths with 404 (L49)", () =>
    served({}, async (url) => {
      expect((await get(`${url}/socket/websocket`)).status).toBe(400);
      expect((await get(`${url}/elsewhere`)).status).toBe(404);
      expect(await say(url, upgrade("/elsewhere"))).toMatch(/^HTTP\/1.1 404 /);
      expect(await say(url, upgrade(path).replace("GET", "POST"))).toMatch(/^HTTP\/1.1 400 /);
      expect(await say(url, upgrade(path).replace(/Sec-WebSocket-Key.*\n/, ""))).toMatch(
        /^HTTP\/1.1 400 /,
      );
    }));

  it("refuses too many, or too large, headers with 431, and half a request with 408 (R71, R81)", () =>
    served({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } }, async (url) => {
      const many = Array.from({ length: 70 }, (_, n) => `x-${n}: 1\n`).join("");
      expect(await say(url, upgrade(path, many))).toMatch(/^HTTP\/1.1 431 /);
      expect(
        (
          await get(
            url,
            Object.fromEntries(
              many
                .split("\n")
                .slice(0, 70)
                .map((l) => l.split(": ") as [string, string]),
            ),
          )
        ).status,
      ).toBe(431);
      expect(await say(url, upgrade(path, `x-long: ${"x".repeat(9_000)}\n`))).toMatch(
        /^HTTP\/1.1 431 /,
      );
      expect(await say(url, "GET / HTTP/1.1\nHost: localhost\n")).toMatch(/^HTTP\/1.1 408 /);
      const { status } = await get(url, { origin: url });
      score(
        "R81",
        "a server that was asked with too many headers, too large, and half a request",
        `answers ${status}`,
      );
      expect(status).toBe(404);
    }));
});

describe("the limits of an endpoint", () => {
  it("sends away more connections than it bears, each to come back at another time (R70, R77)", () =>
    served({ limits: { maxConnections: 2 } }, async (url) => {
      const refusals: string[] = [];
      using _refused = attach("sluice.channels.refused", ({ reason }) => refusals.push(reason));
      const one = await rawClient(url);
      await using _two = await rawClient(url);
      const answer = await say(url, upgrade(path));
      expect(answer).toMatch(
        /^HTTP\/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: ([1-9]|10)\r\n/,
      );
      const waits = new Set<string>();
      for (let n = 0; n < 20; n++)
        waits.add(/Retry-After: (\d+)/.exec(await say(url, upgrade(path)))![1]!);
      expect(waits.size).toBeGreaterThan(1);
      expect(new Set(refusals.splice(1))).toEqual(new Set(["too many connections"]));
      await one[Symbol.asyncDispose]();
      await until(() => refusals.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await using _three = await rawClient(url);
    }));

  it("sends away more connections of one user than he may have (C8)", () =>
    served({ limits: { maxConnectionsPerUser: 2 } }, async (url) => {
      await using _one = await rawClient(url);
      await using _two = await rawClient(url);
      await expect(rawClient(url)).rejects.toMatchObject({ statusCode: 503 });
    }));

  it("lets new connections in at its rate; the others wait their turn", () =>
    served({ limits: { connectionsPerSecond: 20, maxConnectionsPerUser: 100 } }, async (url) => {
      const started = performance.now();
      const clients = await Promise.all(Array.from({ length: 30 }, () => rawClient(url)));
      expect(performance.now() - started).toBeGreaterThan(400);
      for (const client of clients) await client[Symbol.asyncDispose]();
    }));
});

describe("an endpoint that stops", () => {
  it("cuts off clients that do not answer its goodbye, and requests that are not done", async () => {
    let line: Socket | undefined;
    let stopping = 0;
    let heard = "";
    await served({ routes: { "/never": () => new Promise<void>(() => {}) } }, async (url) => {
      line = connect(Number(new URL(url).port), "127.0.0.1");
      line.on("error", () => {}).on("data", (data) => (heard += data.toString("latin1")));
      line.write(upgrade(path).replaceAll("\n", "\r\n"));
      await until(() => heard.includes("\r\n\r\n"));
      void get(`${url}/never`).catch(() => {});
      void get(`${url}/socket/websocket?user=slow`).catch(() => {});
      stopping = performance.now();
    });
    await until(() => line!.closed);
    expect(performance.now() - stopping).toBeLessThan(4_000);
    // A close frame: 1012, before the end.
    expect(heard).toContain("\u0003\u00f4the server restarts");
  });
});

describe("routes", () => {
  const routes = {
    "/": (_request: unknown, response: { end(text: string): void }) => response.end("home"),
    "/assets/*": (request: { url: string }, response: { end(text: string): void }) =>
      response.end(request.url),
    "/crash": async () => {
      throw new Error("a secret");
    },
  };

  it("answer at their paths, behind the checks of host and origin (R81)", () =>
    served({ routes }, async (url) => {
      expect(await get(`${url}/?x=1`)).toMatchObject({ status: 200, text: "home" });
      expect(await get(`${url}/assets/app.js`)).toMatchObject({ text: "/assets/app.js" });
      expect(await get(url, { cookie: "s=1" })).toMatchObject({ status: 200 });
      expect(await get(url, { origin: url })).toMatchObject({ status: 200 });
      expect(await get(url, { origin: "https://evil.example" })).toMatchObject({ status: 403 });
      expect(await get(url, { host: "evil.example" })).toMatchObject({ status: 403 });
      expect(await get(`${url}/other`)).toMatchObject({ status: 404 });
    }));

  it("that fail are a 500 that tells nothing", () =>
    served({ routes }, async (url) => {
      const answer = await get(`${url}/crash`);
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain("secret");
      expect((await get(url)).status).toBe(200);
    }));
});

describe("a server that is there already", () => {
  it("keeps its other paths and listeners, and loses the endpoint's when that stops", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/theirs") response.end("theirs");
      else if (!response.headersSent && request.url?.startsWith("/ours") !== true)
        response.writeHead(404).end();
    });
    const theirs = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, line, head) => {
      if (request.url === "/their-socket")
        theirs.handleUpgrade(request, line, head, (ws) => ws.send("theirs"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const before = ["upgrade", "request"].map((event) => server.listenerCount(event));
    const web = endpoint<Topics, {}>("web");
    const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
    await withSystem(async () => {
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            server,
            routes: { "/ours": (_request, response) => void response.end("ours") },
            sockets: { "/socket": { connect: () => ({}), channels: [lobby] } },
          }),
        },
      });
      expect((await app.children.web.call.address()).url).toBe(url);
      expect((await get(`${url}/theirs`)).text).toBe("theirs");
      expect((await get(`${url}/ours`)).text).toBe("ours");
      const their = new WebSocket(`${url.replace("http", "ws")}/their-socket`);
      const [{ data }] = (await once(their, "message")) as [{ data: string }];
      expect(data).toBe("theirs");
      their.close();
      await using client = await rawClient(url);
      expect((await client.ask(["1", "1", "lobby", "phx_join", {}]))[4]).toMatchObject({
        status: "ok",
      });
    });
    expect(["upgrade", "request"].map((event) => server.listenerCount(event))).toEqual(before);
    expect((await get(`${url}/theirs`)).text).toBe("theirs");
    expect(server.listening).toBe(true);
    server.closeAllConnections();
    server.close();
  });

  it("is not invented: a port that is taken fails the start", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const web = endpoint<Topics, {}>("web");
    await withSystem(async () => {
      const child = web.child({ port, sockets: {} });
      await expect(
        startSupervisor({ strategy: "one_for_one", children: { child } }),
      ).rejects.toThrow(/did not start/);
    });
    taken.close();
  });
});
