// Clients that mean no good, on real sockets.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type Endpoint } from "sluice/channels";
import { rawClient, until } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

const upgrade = (path: string, protocol = "websocket"): string =>
  `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;

const open = (url: string): Socket =>
  connect({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true }).on(
    "error",
    () => {},
  );

describe("an upgrade that leads nowhere", () => {
  it("does not end the program when it is reset", () =>
    served(async ({ url }) => {
      for (let n = 0; n < 10; n++) {
        const reset = open(url);
        reset.write(upgrade("/elsewhere"), () => reset.resetAndDestroy());
        await once(reset, "close");
      }
      const next = open(url);
      next.write(upgrade("/elsewhere"));
      expect(String(await once(next, "data"))).toMatch(/^HTTP\/1.1 404 /);
    }));

  it("is cut off, though its client keeps its half open", () =>
    served(async ({ url }) => {
      const half = open(url).resume();
      half.write(upgrade("/elsewhere"));
      await once(half, "end");
      const writing = setInterval(() => half.write("x"), 5);
      await until(() => half.destroyed);
      clearInterval(writing);
      expect(half.destroyed).toBe(true);
    }));

  it("is a request like any other when it offers another protocol", () =>
    served(async ({ url }) => {
      const line = open(url);
      line.write(upgrade("/elsewhere", "h2c"));
      expect(String(await once(line, "data"))).toMatch(/^HTTP\/1.1 403 /);
      line.destroy();
    }));
});

interface Topics {
  lobby: { in: { slow(payload: object): object } };
}

/** An endpoint whose `connect` waits for a gate, and whose clients all have one id. */
function gated(
  body: (url: string, web: Endpoint<Topics, {}>, gate: PromiseWithResolvers<void>) => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics>("web");
  const lobby = web.channel("lobby", {
    schemas: "trusted",
    join: () => ({ assigns: {} }),
    on: {
      slow: () => new Promise<object>((resolve) => setTimeout(() => resolve({}), 1_500)),
    },
  });
  const gate = Promise.withResolvers<void>();
  const connect = async (): Promise<{}> => {
    await gate.promise;
    return {};
  };
  return withSystem(async () => {
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          sockets: { "/socket": { connect, id: () => "mallory", channels: [lobby] } },
        }),
      },
    });
    await body((await app.children.web.call.address()).url, web, gate);
  });
}

describe("a user who is disconnected", () => {
  it("does not get in by a `connect` that was running already (C9)", () =>
    gated(async (url, web, gate) => {
      const refusal = rawClient(url).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 100));
      web.disconnect("mallory");
      gate.resolve();
      expect(await refusal).toMatchObject({ statusCode: 403 });
      await using _again = await rawClient(url);
    }));

  it("is heard when he agrees, though his channel is busy", () =>
    gated(async (url, web, gate) => {
      gate.resolve();
      await using client = await rawClient(url);
      await client.ask(["1", "1", "lobby", "phx_join", {}]);
      client.send(["1", "2", "lobby", "slow", {}]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const started = performance.now();
      web.disconnect("mallory");
      expect(await client.closed()).toBe(1001);
      expect(performance.now() - started).toBeLessThan(1_000);
    }));
});

describe("pings", () => {
  it("count as messages do", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        const pinging = setInterval(() => client.ws.ping("x"), 5);
        try {
          expect(await client.closed()).toBe(1008);
        } finally {
          clearInterval(pinging);
        }
      },
      { messagesPerSecond: 1, messageBurst: 5, overRateMs: 100 },
    ));
});

describe("joins that come to nothing", () => {
  it("close a client that is refused too often, and none for crashes of the server (R69)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        for (let n = 0; n < 6; n++)
          expect((await client.ask([`${n}`, `${n}`, "broken", "phx_join", {}]))[4]).toMatchObject({
            response: { reason: "join crashed" },
          });
        const refusal = { response: { reason: "unauthorized" } };
        for (const ref of ["a", "b", "c"])
          expect((await client.ask([ref, ref, "private", "phx_join", {}]))[4]).toMatchObject(
            refusal,
          );
        expect(await client.closed()).toBe(1008);
      },
      { failedJoinsPerMinute: 2 },
    ));
});

describe("an endpoint that stops", () => {
  it("answers what is asked on a connection that was kept: 503", async () => {
    let heard = "";
    await gated(async (url, _web, gate) => {
      gate.resolve();
      const host = `Host: ${new URL(url).host}\r\n`;
      // It does not answer the goodbye, which is waited for.
      const socket = open(url);
      socket.write(
        `GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
      expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1.1 101 /);
      const asking = open(url).on("data", (data) => (heard += String(data)));
      asking.write(`GET /elsewhere HTTP/1.1\r\n${host}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.once("data", () => asking.write("\r\n"));
    });
    expect(heard).toMatch(/^HTTP\/1.1 503 /);
  });
});
