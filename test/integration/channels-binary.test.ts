// Payloads of bytes end to end: the stock client, raw frames of version 2, and what becomes of version 1 and of histories.
import { once } from "node:events";
import { startSupervisor, withSystem } from "sluice";
import { binary, endpoint, fields, type Endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { Socket, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { hangUp, join, push, until } from "./support/clients.ts";
import { expectErrors } from "./support/expected.ts";

interface Files {
  join(params: object): Uint8Array | object;
  in: {
    echo(bytes: Uint8Array): Uint8Array;
    size(bytes: Uint8Array): { readonly size: number };
    later(bytes: Uint8Array): Uint8Array;
    share(bytes: Uint8Array): object;
    text(payload: object): Uint8Array;
    say(payload: { readonly text: string }): object;
  };
  out: { shared: Uint8Array; own: Uint8Array; said: { readonly text: string } };
}
interface Topics {
  "files:*": Files;
  "turned:*": Files;
  log: { in: { add(payload: object): object }; out: { line: object }; history: true };
}

/** What somebody sees on the wire: a text, or the bytes of a binary frame in hex. */
type OnWire = string;

class Raw implements AsyncDisposable {
  readonly frames: OnWire[] = [];
  readonly ws: WebSocket;
  code: number | undefined = undefined;

  constructor(url: string, vsn: string) {
    this.ws = new WebSocket(`${url}/socket/websocket?vsn=${vsn}`);
    this.ws.on("message", (data: Buffer, isBinary) =>
      this.frames.push(isBinary ? data.toString("hex") : data.toString()),
    );
    this.ws.on("close", (code) => (this.code = code));
  }

  async ask(data: string | Uint8Array): Promise<OnWire> {
    this.ws.send(data);
    return this.next();
  }

  async next(): Promise<OnWire> {
    await until(() => this.frames.length > 0 || this.code !== undefined);
    return this.frames.shift() ?? `closed ${this.code}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    if (this.ws.readyState !== WebSocket.CLOSED) await once(this.ws, "close");
  }
}

async function raw(url: string, vsn = "2.0.0"): Promise<Raw> {
  const client = new Raw(url, vsn);
  await once(client.ws, "open");
  return client;
}

async function served(
  body: (url: string, web: Endpoint<Topics, {}>, refusals: string[]) => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics>("web");
  const definition = {
    schemas: {
      join: fields({}),
      echo: binary(1_000),
      size: binary(1_000),
      later: binary(1_000),
      share: binary(1_000),
      text: fields({}),
      say: fields({ text: "string" }),
    },
    join: () => ({ assigns: {}, reply: {} }),
    on: {
      echo: (bytes: Uint8Array) => bytes,
      size: (bytes: Uint8Array) => ({ size: bytes.length }),
    },
  } as const;
  const files = web.channel("files:*", {
    ...definition,
    join: (_params, { key }) => ({
      assigns: {},
      reply: key === "bytes" ? Uint8Array.of(7, 8) : {},
    }),
    on: {
      ...definition.on,
      later(bytes, channel, later) {
        channel.after(1, () => later.reply(bytes.toReversed()));
        return later;
      },
      share(bytes, channel) {
        channel.broadcast("shared", bytes);
        channel.push("own", bytes);
        return {};
      },
      text: () => Uint8Array.of(1),
      say({ text }, channel) {
        channel.broadcast("said", { text });
        return {};
      },
    },
  });
  const turned = web.channel("turned:*", {
    schemas: "trusted",
    join: () => ({ assigns: {}, reply: {} }),
    on: {
      ...definition.on,
      later: (_bytes, _channel, later) => later,
      share: () => ({}),
      text: () => Uint8Array.of(1),
      say: () => ({}),
    },
    intercept: { shared: (bytes) => (bytes.length > 2 ? bytes.subarray(0, 2) : undefined) },
  });
  const log = web.channel("log", {
    schemas: "trusted",
    history: {},
    join: () => ({ assigns: {} }),
    on: { add: () => ({}) },
  });
  await withSystem(async () => {
    using _errors = expectErrors();
    const refusals: string[] = [];
    using _refused = attach("sluice.channels.refused", ({ what, reason }) =>
      refusals.push(`${what}: ${reason}`),
    );
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          sockets: { "/socket": { connect: () => ({}), channels: [files, turned, log] } },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body(url.replace("http", "ws"), web, refusals);
  });
}

const arrayOf = (bytes: unknown): number[] => [...new Uint8Array(bytes as ArrayBuffer)];
const buffer = (...bytes: readonly number[]): object => Uint8Array.from(bytes).buffer;
const frame = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))),
  );

function stock(url: string): Socket {
  const socket = new Socket(`${url}/socket`, { timeout: 5_000 });
  socket.connect();
  return socket;
}
const replyOf = async (channel: Channel, event: string, ...bytes: number[]): Promise<number[]> => {
  const [status, response] = await push(channel, event, buffer(...bytes));
  expect(status).toBe("ok");
  return arrayOf(response);
};

describe("bytes, with the stock client (L28, L133, C14)", () => {
  it("come as a Uint8Array, and go as replies, later ones, pushes and broadcasts (L54)", () =>
    served(async (url) => {
      const [one, other] = [stock(url), stock(url)];
      const here = await join(one, "files:1");
      const there = await join(other, "files:1");
      expect(await replyOf(here.channel, "echo", 1, 2, 255)).toEqual([1, 2, 255]);
      expect(await replyOf(here.channel, "echo")).toEqual([]);
      expect(await replyOf(here.channel, "later", 1, 2)).toEqual([2, 1]);
      expect(await push(here.channel, "size", buffer(1, 2, 3))).toEqual(["ok", { size: 3 }]);
      expect(await push(here.channel, "text", {})).toEqual(["ok", buffer(1)]);
      await push(here.channel, "share", buffer(9));
      await until(() => here.told.length === 2 && there.told.length === 1);
      expect(here.told.map(({ event, payload }) => [event, arrayOf(payload)])).toEqual([
        ["shared", [9]],
        ["own", [9]],
      ]);
      expect(arrayOf(there.told[0]!.payload)).toEqual([9]);
      await hangUp(one, other);
    }));

  it("come as the reply to a join", () =>
    served(async (url) => {
      const socket = stock(url);
      expect(arrayOf((await join(socket, "files:bytes")).reply)).toEqual([7, 8]);
      await hangUp(socket);
    }));

  it("are checked by their schema: text is none, and more than it allows is refused", () =>
    served(async (url) => {
      const socket = stock(url);
      const { channel } = await join(socket, "files:1");
      const invalid = ["error", { reason: "invalid payload" }];
      expect(await push(channel, "echo", { 0: 1 })).toEqual(invalid);
      expect(await push(channel, "echo", new ArrayBuffer(1_001))).toEqual(invalid);
      expect(await push(channel, "say", buffer(1))).toEqual(invalid);
      await hangUp(socket);
    }));

  it("are seen by interceptors, and go as these give them, or not at all", () =>
    served(async (url, web) => {
      const socket = stock(url);
      const { told } = await join(socket, "turned:1");
      for (const bytes of [[1, 2, 3], [1], [4, 5, 6]])
        web.broadcast("turned:1", "shared", Uint8Array.from(bytes));
      await until(() => told.length === 2);
      expect(told.map(({ payload }) => arrayOf(payload))).toEqual([
        [1, 2],
        [4, 5],
      ]);
      await hangUp(socket);
    }));
});

describe("bytes on the wire", () => {
  it("have the layout of version 2, in frames that are binary (L69)", () =>
    served(async (url, web) => {
      await using client = await raw(url);
      await client.ask('["1","1","files:1","phx_join",{}]');
      const data = (...bytes: readonly (number | string)[]): string =>
        frame(...bytes).toString("hex");
      expect(await client.ask(frame(0, 1, 1, 7, 4, "1", "2", "files:1", "echo", 9))).toBe(
        data(1, 1, 1, 7, 2, "1", "2", "files:1", "ok", 9),
      );
      web.broadcast("files:1", "shared", Uint8Array.of(8));
      expect(await client.next()).toBe(data(2, 7, 6, "files:1", "shared", 8));
      client.ws.send(frame(0, 1, 1, 7, 5, "1", "3", "files:1", "share", 7));
      expect(await client.next()).toBe(data(2, 7, 6, "files:1", "shared", 7));
      expect(await client.next()).toBe(data(0, 1, 7, 3, "1", "files:1", "own", 7));
      expect(await client.next()).toBe(
        '["1","3","files:1","phx_reply",{"status":"ok","response":{}}]',
      );
      // Without a join ref it is for whatever is joined; an old one is stale.
      client.ws.send(frame(0, 1, 1, 7, 4, "0", "4", "files:1", "echo", 1));
      expect(await client.ask(frame(0, 0, 1, 7, 4, "5", "files:1", "echo", 2))).toBe(
        data(1, 0, 1, 7, 2, "5", "files:1", "ok", 2),
      );
      // More than 125 bytes need a longer header, which is ws's to read here.
      const many = Buffer.alloc(900, 5);
      const sent = Buffer.concat([frame(0, 1, 1, 7, 4, "1", "6", "files:1", "echo"), many]);
      expect(await client.ask(sent)).toBe(
        data(1, 1, 1, 7, 2, "1", "6", "files:1", "ok") + many.toString("hex"),
      );
    }));

  it("of a kind of another client, or cut off, close 1011, and touch nobody else", () =>
    served(async (url) => {
      await using other = await raw(url);
      await other.ask('["1","1","files:1","phx_join",{}]');
      for (const bytes of [
        frame(),
        frame(0, 1, 1, 1),
        frame(3, 1, 1, 7, 4, 0, 1, "1", "2", "files:1", "echo", "{}"),
        frame(0, 200, 200, 200, 200, "short"),
        frame(0, 1, 1, 2, 1, "1", "2", 0xc3, 0x28, "e"),
      ]) {
        await using client = await raw(url);
        expect([bytes.toString("hex"), await client.ask(bytes)]).toEqual([
          bytes.toString("hex"),
          "closed 1011",
        ]);
      }
      expect(await other.ask('["1","2","files:1","text",{}]')).toContain("6f6b01");
    }));

  it("count as messages and bytes do, and are bounded like them (R69)", () =>
    served(async (url, _web, refusals) => {
      await using long = await raw(url);
      expect(await long.ask(Buffer.alloc(65_537))).toBe("closed 1009");
      await using many = await raw(url);
      for (let n = 0; n < 20; n++)
        many.ws.send(Buffer.concat([frame(0, 0, 0, 1, 1, "t", "e"), Buffer.alloc(60_000)]));
      await until(() => many.code !== undefined);
      expect(many.code).toBe(1008);
      expect(refusals).toContain("message: too many messages");
    }));
});

describe("bytes for who takes none", () => {
  it("version 1 misses the broadcast, which is told; its channel crashes over a reply (C14)", () =>
    served(async (url, web, refusals) => {
      await using old = await raw(url, "1.0.0");
      await using client = await raw(url);
      await client.ask('["1","1","files:1","phx_join",{}]');
      expect(
        JSON.parse(await old.ask('{"topic":"files:1","event":"phx_join","payload":{},"ref":"1"}')),
      ).toMatchObject({ payload: { status: "ok" }, ref: "1" });
      web.broadcast("files:1", "shared", Uint8Array.of(1));
      web.broadcast("files:1", "said", { text: "hi" });
      expect(await client.next()).toBe(frame(2, 7, 6, "files:1", "shared", 1).toString("hex"));
      expect(await client.next()).toBe('[null,null,"files:1","said",{"text":"hi"}]');
      expect(await old.next()).toBe(
        '{"topic":"files:1","event":"said","payload":{"text":"hi"},"ref":null}',
      );
      expect(refusals).toEqual(["shared on files:*: bytes for a client that takes none"]);
      expect(await old.ask('{"topic":"files:1","event":"text","payload":{},"ref":"2"}')).toMatch(
        /^\{"topic":"files:1","event":"phx_error","payload":\{"reason":"channel_crash","id":"[0-9a-z]{10}"\},"ref":null\}$/,
      );
    }));

  it("a topic with history refuses them, and says why", () =>
    served(async (url, web) => {
      await using client = await raw(url);
      await client.ask('["1","1","log","phx_join",{}]');
      const refused = {
        code: "SLUICE_PAYLOAD_REFUSED",
        details: { topic: "log", event: "line", why: "it is bytes, and the topic has history" },
      };
      await expect(web.publish("log", "line", new Uint8Array(1))).rejects.toMatchObject(refused);
      expect(() => web.broadcast("log", "line", new Uint8Array(1))).toThrow(
        expect.objectContaining(refused) as Error,
      );
      await web.publish("log", "line", { n: 1 });
      expect(await client.next()).toContain('"n":1');
    }));
});
