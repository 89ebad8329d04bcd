import { once } from "node:events";
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  createServer,
  request as startRequest,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EventsRouteOptions, eventsRoute } from "./events-route.ts";
import type { Payload } from "./payload.ts";
import { securityHeaders } from "./security-headers.ts";

/** Holds what it is given up to its capacity, as the producer's buffer does. */
class BoundedInbox {
  readonly capacity: number;
  readonly held: Payload[] = [];
  closed = false;
  #room = Promise.withResolvers<void>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  tryPush(payloads: readonly Payload[]): boolean {
    if (this.held.length + payloads.length > this.capacity) return false;
    this.held.push(...payloads);
    return true;
  }

  async push(payloads: readonly Payload[]): Promise<void> {
    for (const payload of payloads) {
      while (this.held.length >= this.capacity) await this.#room.promise;
      if (this.closed) throw new Error("the inbox has ended");
      this.held.push(payload);
    }
  }

  take(): Payload[] {
    const taken = this.held.splice(0);
    this.#room.resolve();
    this.#room = Promise.withResolvers();
    return taken;
  }
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });
const ndjson = { "content-type": "application/x-ndjson" };
const json = { "content-type": "application/json" };

let server: Server;
let inbox: BoundedInbox;

function port(): number {
  return (server.address() as AddressInfo).port;
}

function close(): void {
  server.closeAllConnections();
  server.close();
}

async function serve(options: Partial<EventsRouteOptions> = {}, capacity = 1_000): Promise<void> {
  inbox = new BoundedInbox(capacity);
  const route = eventsRoute({ inbox, hosts: [], sleep, ...options });
  server = createServer(
    { requestTimeout: 0 },
    (request, response) => void route(request, response),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
}

async function serveAnew(options: Partial<EventsRouteOptions>, capacity?: number): Promise<void> {
  close();
  await serve(options, capacity);
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly accepted?: number; readonly error?: string; readonly line?: number };
}

/** A request whose body is written piece by piece; the reply may come before its end. */
function post(
  headers: Readonly<Record<string, string>>,
  path = "/events",
  options: RequestOptions = {},
): {
  write: (text: string | Uint8Array) => Promise<boolean>;
  end: () => void;
  destroy: () => void;
  reply: Promise<Reply>;
} {
  const request = startRequest({ port: port(), method: "POST", path, headers, ...options });
  const reply = (async () => {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    for await (const piece of response.setEncoding("utf8")) text += piece as string;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: (text === "" ? {} : JSON.parse(text)) as Reply["body"],
    };
  })();
  // A connection cut while a body is written is no failure when the reply is there.
  request.on("error", () => {});
  reply.catch(() => {});
  return {
    write: (text) =>
      new Promise((resolve) =>
        request.write(text, (error) => resolve(error === undefined || error === null)),
      ),
    end: () => request.end(),
    destroy: () => request.destroy(),
    reply,
  };
}

async function postWhole(
  headers: Readonly<Record<string, string>>,
  body: string,
  path?: string,
): Promise<Reply> {
  const request = post({ ...headers, "content-length": String(Buffer.byteLength(body)) }, path);
  void request.write(body);
  request.end();
  return request.reply;
}

beforeEach(() => serve());
afterEach(close);

describe("POST /events", () => {
  it("takes a body whole, in order", async () => {
    expect(await postWhole(ndjson, '{"n":1}\n2\n')).toMatchObject({
      status: 202,
      body: { accepted: 2 },
    });
    expect(await postWhole(json, '[{"n":3},4]')).toMatchObject({
      status: 202,
      body: { accepted: 2 },
    });
    expect(inbox.held).toEqual([{ n: 1 }, { data: 2 }, { n: 3 }, { data: 4 }]);
  });

  it("takes nothing of a body with a bad line, and names the line", async () => {
    const lines = Array.from({ length: 100 }, (_, i) =>
      i === 71 ? "nonsense" : `{"n":${i}}`,
    ).join("\n");
    expect(await postWhole(ndjson, lines)).toMatchObject({
      status: 400,
      body: { line: 72, error: "line 72: not valid JSON" },
    });
    expect(inbox.held).toEqual([]);
  });

  it("takes an empty NDJSON body for no events, and no empty JSON body", async () => {
    expect(await postWhole(ndjson, "")).toMatchObject({ status: 202, body: { accepted: 0 } });
    expect(await postWhole(json, "")).toMatchObject({ status: 400 });
  });

  it("takes all or nothing: 429 with Retry-After while there is no room, 413 where there never is", async () => {
    await serveAnew({}, 3);
    expect((await postWhole(ndjson, "1\n2\n")).status).toBe(202);
    const full = await postWhole(ndjson, "3\n4\n");
    expect(full).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    expect(inbox.take()).toHaveLength(2);
    expect((await postWhole(ndjson, "3\n4\n")).status).toBe(202);
    expect((await postWhole(ndjson, "1\n2\n3\n4\n")).status).toBe(413);
    expect(inbox.held).toEqual([{ data: 3 }, { data: 4 }]);
  });

  it("refuses more than 1 MiB, told beforehand or found out, and still answers while the client writes", async () => {
    const mebibyte = "x".repeat(1_048_574);
    expect((await postWhole(json, `"${mebibyte}"`)).status).toBe(202);
    expect((await postWhole(json, `"x${mebibyte}"`)).status).toBe(413);
    const unannounced = post(json);
    await unannounced.write(`"${mebibyte}`);
    await unannounced.write("xx");
    expect((await unannounced.reply).status).toBe(413);
    unannounced.end();
    expect(inbox.held).toHaveLength(1);
  });

  it("goes on with the connection after it has refused a body", async () => {
    const socket = connect(port()).setEncoding("utf8");
    const refused = `POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 200000\r\n\r\n${"x".repeat(200_000)}`;
    const good =
      "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n7";
    socket.write(refused + good);
    let text = "";
    while (!text.includes('"accepted"')) text += ((await once(socket, "data")) as [string])[0];
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 415", "HTTP/1.1 202"]);
    socket.destroy();
  });

  it("cuts a connection that never stops writing what was refused", async () => {
    const endless = post({ "content-type": "text/plain" });
    const piece = Buffer.alloc(1_048_576, 0x78);
    let written = 0;
    while (written < 100 && (await endless.write(piece))) written += 1;
    expect((await endless.reply).status).toBe(415);
    expect(written).toBeLessThan(100);
  });

  it("asks for the token, and for no other site's page (R72, R73)", async () => {
    await serveAnew({ token: "correct-horse" });
    expect(await postWhole(json, "1")).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
    });
    expect((await postWhole({ ...json, authorization: "Bearer correct-horse" }, "1")).status).toBe(
      202,
    );
    expect(
      (
        await postWhole(
          { ...json, authorization: "Bearer correct-horse", origin: "http://evil.example" },
          "1",
        )
      ).status,
    ).toBe(403);
    expect(
      (
        await postWhole(
          { ...json, authorization: "Bearer correct-horse", host: "evil.example" },
          "1",
        )
      ).status,
    ).toBe(403);
    expect(inbox.held).toHaveLength(1);
  });

  it("lets its own page post, as a browser says where it comes from", async () => {
    const origin = `http://localhost:${port()}`;
    expect((await postWhole({ ...json, host: new URL(origin).host, origin }, "1")).status).toBe(
      202,
    );
  });

  it("knows POST alone, also before another site's page asks whether it may (R89)", async () => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const request = post(
        { origin: "http://evil.example", "access-control-request-method": "POST" },
        "/events",
        { method },
      );
      request.end();
      const { status, headers } = await request.reply;
      expect([status, headers.allow, headers["access-control-allow-origin"]]).toEqual([
        405,
        "POST",
        undefined,
      ]);
    }
  });

  it("sends the security headers with every answer (R88)", async () => {
    for (const reply of [
      await postWhole(json, "1"),
      await postWhole(json, "x"),
      await postWhole({}, "1"),
    ]) {
      expect(reply.headers).toMatchObject(securityHeaders);
    }
  });

  it("gives up on a body that does not come, 408", async () => {
    await serveAnew({ bodyTimeoutMs: 50 });
    for (const path of ["/events", "/events?partial=1"]) {
      const stalled = post(ndjson, path);
      await stalled.write("1\n");
      expect((await stalled.reply).status).toBe(408);
    }
  });

  it("survives a client that hangs up in the middle", async () => {
    for (const path of ["/events", "/events?partial=1"]) {
      const gone = post(ndjson, path);
      await gone.write("1\n2");
      gone.destroy();
      await expect(gone.reply).rejects.toThrow("socket hang up");
    }
    expect((await postWhole(json, "1")).status).toBe(202);
  });

  it("says so when the inbox has ended", async () => {
    await serveAnew({
      inbox: {
        capacity: 9,
        tryPush: () => Promise.reject(new Error("ended")),
        push: () => Promise.reject(new Error("ended")),
      },
    });
    expect((await postWhole(json, "1")).status).toBe(503);
    expect(await postWhole(ndjson, "1\n", "/events?partial=1")).toMatchObject({
      status: 503,
      body: { accepted: 0 },
    });
  });
});

describe("POST /events?partial=1", () => {
  it("takes more than 1 MiB and more than the buffer holds, no faster than it is taken", async () => {
    await serveAnew({}, 100);
    const total = 200_000;
    const request = post(ndjson, "/events?partial=1");
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += 1_000) {
        await request.write(
          Array.from(
            { length: 1_000 },
            (_, i) => `{"n":${written + i},"pad":"${"x".repeat(100)}"}\n`,
          ).join(""),
        );
      }
      request.end();
    })();
    while (inbox.held.length < 100) await turn();
    // Nobody takes: the writer gets as far as the socket's buffers, and no further.
    for (let before = -1; before !== written; await delay(100)) before = written;
    expect(written).toBeLessThan(total);
    expect(inbox.held).toHaveLength(100);

    const taken: Payload[] = [];
    const replied = request.reply.then(() => true);
    while (!(await Promise.race([replied, turn(false)]))) taken.push(...inbox.take());
    await writing;
    taken.push(...inbox.take());
    expect(await request.reply).toMatchObject({ status: 202, body: { accepted: total } });
    expect(taken.map(({ n }) => n)).toEqual(Array.from({ length: total }, (_, n) => n));
  });

  it("stops at the first bad line: what is before it is taken, what is after it is not", async () => {
    expect(await postWhole(ndjson, "1\n\n2\nnonsense\n3\n", "/events?partial=1")).toMatchObject({
      status: 400,
      body: { accepted: 2, line: 4 },
    });
    expect(inbox.held).toEqual([{ data: 1 }, { data: 2 }]);
  });

  it("joins lines over slow, small pieces", async () => {
    const request = post(ndjson, "/events?partial=1");
    for (const byte of Buffer.from('{"a":"é"}\n2')) {
      await request.write(Uint8Array.of(byte));
      await turn();
    }
    request.end();
    expect(await request.reply).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(inbox.held).toEqual([{ a: "é" }, { data: 2 }]);
  });
});
