// Too much of everything, on real sockets: who sends it is stopped, and nobody else notices.
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { rawClient, until, type RawClient } from "./support/clients.ts";
import { upgradeRequest } from "./support/raw-line.ts";
import { served } from "./support/rooms.ts";
import { servedBy } from "./support/served-by.ts";

const line = (url: string): Socket =>
  connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});

/** Asks again and again while `work` runs; resolves with the 99th percentile of how long an answer took, in ms. */
async function p99While(client: RawClient, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  const took: number[] = [];
  while (!isOver) {
    const started = performance.now();
    await client.ask([null, "1", "phoenix", "heartbeat", {}]);
    took.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await over;
  return took.toSorted((one, other) => one - other)[Math.floor(took.length * 0.99)]!;
}

describe("joins", () => {
  it("without end on one socket come to 100 channels at most, and to its end (R68)", () =>
    served(
      async ({ url }) => {
        const joins: string[] = [];
        using _refused = attach("sluice.channels.refused", ({ reason }) => joins.push(reason));
        await using other = await rawClient(url);
        await using flood = await rawClient(url);
        const work = (async () => {
          for (let n = 0; flood.close === undefined; n++) {
            flood.send([`${n}`, `${n}`, `room:${n}`, "phx_join", {}]);
            if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
          }
        })();
        const p99 = await p99While(other, work);
        const accepted = flood.frames.filter(
          ([, , , event, payload]) =>
            event === "phx_reply" && (payload as { readonly status: string }).status === "ok",
        );
        expect(await flood.closed()).toBe(1008);
        expect(accepted.length).toBeGreaterThan(0);
        expect(accepted.length).toBeLessThanOrEqual(100);
        expect(joins.length).toBeGreaterThan(100);
        score("R68", "channels of a socket that joins without end", `${accepted.length}`);
        score("R68", "another client's p99 meanwhile", `${p99.toFixed(0)} ms`);
        expect(p99).toBeLessThan(1_000);
        expect(other.close).toBeUndefined();
      },
      { overRateMs: 1_000 },
    ));

  it("and leaves in turn leave nothing behind; names beyond all measure are refused (R68)", () =>
    served(
      async ({ url, web }) => {
        await using client = await rawClient(url);
        for (let n = 0; n < 300; n++) {
          const join = `${n}`;
          expect((await client.ask([join, join, "room:1", "phx_join", {}]))[4]).toMatchObject({
            status: "ok",
          });
          client.send([join, `l${n}`, "room:1", "phx_leave", {}]);
          await until(() => client.frames.some(([, , , event]) => event === "phx_close"));
          client.frames.length = 0;
        }
        web.broadcast("room:1", "said", { text: "nobody is there" });
        const [, , , , reply] = await client.ask([null, "x", "t".repeat(1_000), "phx_join", {}]);
        expect(reply).toMatchObject({ status: "error" });
        client.send([null, "x", "t".repeat(1_000_000), "phx_join", {}]);
        expect(await client.closed()).toBe(1009);
      },
      {
        joinsPerSecond: 10_000,
        joinBurst: 10_000,
        messagesPerSecond: 10_000,
        messageBurst: 10_000,
      },
    ));
});

describe("messages", () => {
  it("at full speed from five clients end these, and let the sixth be answered (R69)", () =>
    served(async ({ url }) => {
      await using other = await rawClient(url);
      const floods: RawClient[] = [];
      for (let n = 0; n < 5; n++) floods.push(await rawClient(url));
      const codes: number[] = [];
      const beat = JSON.stringify([null, "1", "phoenix", "heartbeat", { x: "x".repeat(200) }]);
      const started = performance.now();
      const work = Promise.all(
        floods.map(async (flood) => {
          while (flood.close === undefined) {
            for (let n = 0; n < 200; n++) flood.send(beat);
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          codes.push(flood.close.code);
        }),
      );
      const p99 = await p99While(other, work);
      expect(codes).toEqual([1008, 1008, 1008, 1008, 1008]);
      score("R69", "another client's p99 while five flood", `${p99.toFixed(0)} ms`);
      score(
        "R69",
        "until the last of them is closed",
        `${(performance.now() - started).toFixed(0)} ms`,
      );
      expect(p99).toBeLessThan(1_000);
      expect(other.close).toBeUndefined();
    }));
});

describe("connections", () => {
  it("that are never finished, or join nothing, are few and short, and others get in (R70)", () =>
    servedBy(
      {
        limits: {
          maxConnections: 200,
          joinWithinMs: 800,
          headersTimeoutMs: 300,
          requestTimeoutMs: 600,
        },
      },
      async (url) => {
        let refusals = 0;
        using _refused = attach("sluice.channels.refused", () => refusals++);
        // 400 that begin a request, and 400 that are upgraded and say nothing.
        const halves = Array.from({ length: 400 }, () => line(url).resume());
        for (const half of halves) half.write("GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: ");
        const heard = { in: 0, away: 0 };
        const lurkers = Array.from({ length: 400 }, () =>
          line(url)
            .once(
              "data",
              (data) => heard[String(data).startsWith("HTTP/1.1 101") ? "in" : "away"]++,
            )
            .resume(),
        );
        for (const lurker of lurkers) lurker.write(upgradeRequest(url));
        await until(() => heard.in + heard.away === 400, 20_000);
        expect(heard.in).toBe(200);
        expect(refusals).toBeGreaterThanOrEqual(200);
        await until(() => [...halves, ...lurkers].every(({ closed }) => closed), 20_000);
        const started = performance.now();
        await using client = await rawClient(url);
        await client.ask(["1", "1", "lobby", "phx_join", {}]);
        score("R70", "let in of 400 that say nothing, of 200 that may", `${heard.in}`);
        score(
          "R70",
          "a client's way in behind them",
          `${(performance.now() - started).toFixed(0)} ms`,
        );
      },
    ));

  it("that trickle headers or bodies are all gone in their time (R71)", () =>
    servedBy(
      { limits: { headersTimeoutMs: 500, requestTimeoutMs: 1_000 } },
      async (url) => {
        const started = performance.now();
        const host = `Host: ${new URL(url).host}\r\n`;
        const slow = Array.from({ length: 200 }, (_, n) => {
          const one = line(url).resume();
          const [first, rest] =
            n % 2 === 0
              ? [`GET /socket/websocket HTTP/1.1\r\n${host}`, "x-a: 1\r\n"]
              : [
                  `POST /socket/longpoll?vsn=2.0.0 HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n`,
                  "x",
                ];
          one.write(first);
          const trickle = setInterval(() => (one.destroyed ? undefined : one.write(rest)), 50);
          one.once("close", () => clearInterval(trickle));
          return one;
        });
        await using client = await rawClient(url);
        await until(() => slow.every(({ closed }) => closed), 20_000);
        const took = performance.now() - started;
        score(
          "R71",
          "until 200 that trickle are gone, of 1 s that they have",
          `${took.toFixed(0)} ms`,
        );
        expect(took).toBeLessThan(10_000);
        expect((await client.ask([null, "1", "phoenix", "heartbeat", {}]))[1]).toBe("1");
      },
      { "/socket": { longPoll: true } },
    ));
});
