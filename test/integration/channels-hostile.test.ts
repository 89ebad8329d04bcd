// Clients that mean no good, on real sockets.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { until } from "./support/clients.ts";
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
    }));

  it("is a request like any other when it offers another protocol", () =>
    served(async ({ url }) => {
      const line = open(url);
      line.write(upgrade("/elsewhere", "h2c"));
      expect(String(await once(line, "data"))).toMatch(/^HTTP\/1.1 403 /);
      line.destroy();
    }));
});
