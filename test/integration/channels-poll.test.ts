// Long-polling, request by request: what a server answers whatever a client asks.
import { connect } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { rawClient, until, type Frame } from "./support/clients.ts";
import { join, joined, opened, served } from "./support/polled.ts";
import { PollClient, ask } from "./support/polls.ts";

describe("long-polling", () => {
  it("is off where it is not asked for", () =>
    served(
      async ({ url, infos }) => {
        expect((await ask(`${url}/socket/longpoll?vsn=2.0.0`)).http).toBe(404);
        expect(infos).toEqual([]);
      },
      { sockets: { longPoll: false } },
    ));

  it("opens a session with 410 and a token; a join is posted, its reply is polled, then nothing is 204 (L29)", () =>
    served(async ({ url, web }) => {
      const client = new PollClient(url);
      const first = await client.open();
      expect(first).toMatchObject({ http: 200, status: 410, messages: [] });
      expect(client.token).toMatch(/^lp1\.[\w.-]{50,76}$/);
      expect(await client.post(join)).toMatchObject({ http: 200, status: 200 });
      expect(await client.messages(2)).toEqual(joined);
      web.broadcast("room:1", "said", { n: 1 });
      expect(await client.messages(1)).toEqual([[null, null, "room:1", "said", { n: 1 }]]);
      const started = performance.now();
      expect(await client.poll()).toMatchObject({ http: 200, status: 204, messages: [] });
      expect(performance.now() - started).toBeGreaterThan(100);
    }));

  it("hands out again what a lost answer held, in order and before what is new, and then no more (R80)", () =>
    served(async ({ url, web }) => {
      const client = await opened(url);
      await client.post(join);
      await client.messages(2);
      const said = (n: number): Frame => [null, null, "room:1", "said", { n }];
      web.broadcast("room:1", "said", { n: 1 });
      const lost = await ask(`${client.url}&token=${client.token}`);
      expect(lost.messages).toEqual([said(1)]);
      web.broadcast("room:1", "said", { n: 2 });
      expect((await client.poll()).messages).toEqual([said(1), said(2)]);
      expect(await client.poll()).toMatchObject({ status: 204 });
      // Nor is it lost when the line of a poll that waits is cut.
      const line = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
      const { pathname, search } = new URL(`${client.url}&token=${client.token}`);
      line.end(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () =>
        line.destroy(),
      );
      web.broadcast("room:1", "said", { n: 3 });
      expect(await client.messages(1)).toEqual([said(3)]);
    }));

  it("says of every answer that it is JSON and not to be kept; a token of the header counts before one of the query (L58)", () =>
    served(async ({ url }) => {
      const [client, other] = [await opened(url), await opened(url)];
      await client.post(join);
      const answers = [
        await ask(client.url),
        await ask(`${client.url}&token=stale`, {
          headers: { "x-phoenix-longpoll-token": client.token },
        }),
        await other.post("[]"),
        await ask(client.url, { method: "POST" }),
        await ask(client.url, { headers: { origin: "https://evil.example" } }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([410, 200, 200, 410, 403]);
      for (const { http, headers } of answers) {
        expect(http).toBe(200);
        expect(headers).toMatchObject({
          "content-type": "application/json; charset=utf-8",
          "cache-control": "no-store",
        });
      }
      // What comes while a poll waits answers it, in the midst of its window.
      await client.post(["1", "2", "room:1", "soon", {}]);
      await client.messages(1);
      expect(await client.poll()).toMatchObject({
        status: 200,
        messages: [["1", null, "room:1", "late", {}]],
      });
      const stale = { "x-phoenix-longpoll-token": "stale" };
      expect(await client.poll(stale)).toMatchObject({ status: 410 });
    }));

  it("refuses a channel too many, an unknown topic and an event to a topic not joined with 200, and tells by poll (L30, L35)", () =>
    served(
      async ({ url, seen }) => {
        const client = await opened(url);
        const refusals: Frame[] = [
          ["2", "2", "room:2", "phx_join", {}],
          ["3", "3", "nowhere", "phx_join", {}],
          [null, "4", "room:3", "say", {}],
        ];
        expect(await client.post(join, ...refusals)).toMatchObject({ status: 200 });
        const told = (await client.messages(5)).filter(([, ref]) => ref !== "1" && ref !== null);
        const error = (reason: string): object => ({ status: "error", response: { reason } });
        expect(told.toSorted((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
          ["2", "2", "room:2", "phx_reply", error("too many channels joined")],
          [null, "3", "nowhere", "phx_reply", error("unmatched topic")],
          [null, "4", "room:3", "phx_reply", error("unmatched topic")],
        ]);
        expect(seen).toEqual([]);
      },
      { limits: { maxChannels: 1 } },
    ));

  it("tells `connect` headers, address, params and variables of the path, and no token of a session (L31–L34, L58, R80)", () =>
    served(async ({ url, infos }) => {
      const client = new PollClient(url, "token=mine&room%5Bid%5D=1&vsn=2.0.0");
      await client.open({
        "x-trace": "t",
        traceparent: "00-1",
        "user-agent": "test",
        authorization: "b",
      });
      expect(infos[0]!.params).toEqual({ token: "mine", room: { id: "1" } });
      expect(infos[0]!.remoteAddress).toBe("127.0.0.1");
      const headers = Object.fromEntries(infos[0]!.headers);
      expect(headers).toMatchObject({ "x-trace": "t", traceparent: "00-1", "user-agent": "test" });
      expect(headers).not.toHaveProperty("authorization");
      await ask(`${url}/of/paris/longpoll?vsn=2.0.0`);
      const paris = infos.pop()!;
      expect(paris.params).toEqual({ place: "paris" });
      expect(paris.url.href).toBe(`${url}/of/paris/longpoll?vsn=2.0.0`);
      // Of a session that is gone, the token is none of the user's params.
      const { token } = client;
      const [before, after] = [token.slice(0, -4), token.slice(-4)];
      expect(
        await ask(`${client.url}&token=${before}${after === "AAAA" ? "BBBB" : "AAAA"}`),
      ).toMatchObject({ status: 410 });
      expect(infos[1]!.params).toEqual({ token: "mine", room: { id: "1" } });
      expect(infos[1]!.url.href).not.toContain("lp1.");
    }));

  it("carries events between clients of both kinds, with a join ref or without (L35, L36, L45)", () =>
    served(async ({ url, seen }) => {
      const client = await opened(url);
      await using other = await rawClient(url);
      await other.ask(join);
      await other.next();
      await client.post(join);
      await client.messages(2);
      await client.post([null, "2", "room:1", "say", { from: "poll" }]);
      expect(await other.next()).toEqual([null, null, "room:1", "said", { from: "poll" }]);
      expect(await client.messages(2)).toEqual([
        [null, null, "room:1", "said", { from: "poll" }],
        [null, "2", "room:1", "phx_reply", { status: "ok", response: {} }],
      ]);
      await client.post(["0", "3", "room:1", "say", {}], ["0", "4", "room:1", "phx_leave", {}]);
      await client.post([null, "5", "room:1", "phx_leave", {}]);
      expect(await client.messages(2)).toEqual([
        [null, "5", "room:1", "phx_reply", { status: "ok", response: {} }],
        ["1", "1", "room:1", "phx_close", {}],
      ]);
      expect(seen).toEqual([{ from: "poll" }, "left room:1"]);
    }));

  it("takes a batch in order, the first hundred of it, with blank lines between (L37, L40, R80)", () =>
    served(async ({ url, seen }) => {
      const refusals: string[] = [];
      using _refused = attach("sluice.channels.refused", ({ reason }) => refusals.push(reason));
      const client = await opened(url);
      await client.post(join);
      await client.messages(2);
      const batch = Array.from({ length: 101 }, (_, n): Frame => [
        "1",
        null,
        "room:1",
        "say",
        { n },
      ]);
      const stale: Frame = ["0", "9", "room:1", "say", { stale: true }];
      expect(await client.post("", stale, "", ...batch, "")).toMatchObject({ status: 200 });
      await until(() => seen.length === 99);
      score(
        "R80",
        "of a batch of 102, handled and refused",
        `${seen.length + 1}, ${refusals.length}`,
      );
      expect(seen).toEqual(Array.from({ length: 99 }, (_, n) => ({ n })));
      expect(refusals).toEqual(["more messages than a batch may have"]);
    }));

  it("takes a body of another type, or of none, as one message (L48)", () =>
    served(async ({ url }) => {
      const client = await opened(url);
      const types = ["", "application/json", "text/plain"];
      for (const [at, type] of types.entries()) {
        const body = JSON.stringify([`${at}`, `${at}`, `room:${at}`, "phx_join", {}]);
        expect(await client.postBody(body, type)).toMatchObject({ status: 200 });
      }
      const replies = (await client.messages(6)).filter(([, ref]) => ref !== null);
      expect(replies.map(([, ref]) => ref)).toEqual(["0", "1", "2"]);
    }));

  it("answers what is no message, or too much of one, by ending the session (R60, R80)", () =>
    served(async ({ url }) => {
      for (const body of ["not JSON", "[1]", Buffer.from([0xff]), `["${"x".repeat(70_000)}"]`]) {
        const client = await opened(url);
        const { status } = await client.postBody(body);
        expect([200, 410]).toContain(status);
        const polled = await client.poll();
        expect([410, 200]).toContain(polled.status);
        if (polled.status === 200) expect(await client.poll()).toMatchObject({ status: 410 });
      }
    }));

  it("does not read a body over its limit: of 8 MiB of line ends, of one whose length is not said (R80)", () =>
    served(async ({ url }) => {
      const client = await opened(url);
      const before = process.memoryUsage().arrayBuffers;
      const large = Buffer.alloc(8 * 1_024 * 1_024, "\n");
      const answer = await client
        .postBody(large)
        .catch((error: NodeJS.ErrnoException) => error.code);
      // The rest is cut off; a client that still sends may find that before it reads.
      if (typeof answer === "object") expect(answer).toMatchObject({ http: 200, status: 413 });
      else expect(["EPIPE", "ECONNRESET"]).toContain(answer);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_024 * 1_024);
      expect(await client.postBody(Buffer.alloc(256 * 1_024 + 1, "\n"))).toMatchObject({
        status: 413,
      });
      expect(await client.postBody(Buffer.alloc(256 * 1_024, "\n"))).toMatchObject({ status: 200 });
      const line = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
      let heard = "";
      line.on("data", (data) => (heard += String(data)));
      const { pathname, search } = new URL(`${client.url}&token=${client.token}`);
      line.write(
        `POST ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      for (let at = 0; at < 300 && !heard.includes("413"); at++) {
        line.write(`400\r\n${"\n".repeat(1_024)}\r\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => heard.includes('{"status":413}'));
      line.destroy();
      expect(await client.post("[]")).toMatchObject({ status: 200 });
    }));

  it("says 408 of a post that does not come in time, and of what waits behind it, and ends its session (L39)", () =>
    served(async ({ url }) => {
      const client = await opened(url);
      await client.post(join);
      await client.messages(2);
      const line = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
      let heard = "";
      line.on("data", (data) => (heard += String(data)));
      const { pathname, search } = new URL(`${client.url}&token=${client.token}`);
      line.write(
        `POST ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n[`,
      );
      // Its headers are read.
      await until(() => heard.includes(" 100 "));
      expect(await client.post(["1", "3", "room:1", "whoami", {}])).toMatchObject({
        http: 200,
        status: 408,
      });
      await until(() => heard.includes('{"status":408}'));
      line.destroy();
      expect(await client.post(["1", "4", "room:1", "whoami", {}])).toMatchObject({
        status: 410,
      });
    }));

  it("is 403 for a `connect` that refuses and a version it does not speak, 500 for one that crashes; it says no more (L41, L47)", () =>
    served(async ({ url }) => {
      for (const [query, status] of [
        ["vsn=2.0.0&user=nobody", 403],
        ["vsn=2.0.0&user=crash", 500],
        ["vsn=3.0.0", 403],
        ["vsn=2", 403],
      ] as const)
        expect(await ask(`${url}/socket/longpoll?${query}`)).toMatchObject({
          http: 200,
          body: JSON.stringify({ status }),
        });
    }));

  it("tells a crash by poll, with the refs of the join, and the log no params (L43, L44)", () =>
    served(async ({ url }) => {
      const logged: unknown[] = [];
      using _logs = attach("sluice.log", (entry) => logged.push(entry));
      const client = await opened(url, "vsn=2.0.0&password=hush");
      await client.post(["1", "1", "room:1", "phx_join", { password: "hush" }]);
      await client.messages(2);
      await client.post(["1", "2", "room:1", "crash", { password: "hush" }]);
      expect(await client.messages(1)).toEqual([
        [
          "1",
          "1",
          "room:1",
          "phx_error",
          { reason: "channel_crash", id: expect.stringMatching(/^[0-9a-z]{10}$/) as unknown },
        ],
      ]);
      expect(logged.length).toBeGreaterThan(0);
      expect(inspect(logged, { depth: 10 })).not.toMatch(/hush|lp1\./);
    }));

  it("ends a session by the id of its socket; its poll is 410, and its channels leave (L46)", () =>
    served(async ({ url, web, seen }) => {
      const client = await opened(url);
      await client.post(join);
      await client.messages(2);
      const waiting = client.poll();
      web.disconnect("everybody");
      expect(await waiting).toMatchObject({ status: 410, messages: [] });
      await until(() => seen.length === 1);
      expect(seen).toEqual(["left room:1"]);
      expect(await client.post(join)).toMatchObject({ status: 410 });
    }));

  it("ends a session that is not polled for one and a half windows, and its channels with it (L38)", () =>
    served(async ({ url, seen }) => {
      const client = await opened(url);
      await client.post(join);
      await client.messages(2);
      await client.poll();
      const started = performance.now();
      await until(() => seen.length === 1);
      expect(performance.now() - started).toBeGreaterThan(200);
      expect(await client.post(join)).toMatchObject({ status: 410 });
      expect(await client.poll()).toMatchObject({ status: 410 });
    }));

  it("lets a token in that is its own alone: not a changed one, not at another mount, not an old one (C4, R73, R80)", () =>
    served(
      async ({ url }) => {
        const client = await opened(url);
        const { token } = client;
        const own = `${client.url}&token=${token}`;
        expect(await ask(own.replace(/.$/, "!"))).toMatchObject({ status: 410 });
        expect(await ask(own.replace("/socket/", "/other/"), { method: "POST" })).toMatchObject({
          status: 410,
        });
        const renewed = await ask(own);
        expect(renewed).toMatchObject({ status: 204 });
        let [newest, polled] = [renewed, await ask(own)];
        for (let at = 0; at < 100 && polled.status === 204; at++)
          [newest, polled] = [polled, await ask(own)];
        expect(polled.status).toBe(410);
        expect(polled.token).not.toBe(token);
        // It was the token that was too old: the session is there for one that is new.
        expect(await ask(`${client.url}&token=${newest.token}`)).toMatchObject({ status: 204 });
      },
      { limits: { pollTokenMaxAgeMs: 1_000 } },
    ));
});
