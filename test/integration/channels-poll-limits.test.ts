// Who may poll an endpoint, how much of it, and what becomes of polls when it stops.
import { describe, expect, it } from "vitest";
import { rawClient, type Frame } from "./support/clients.ts";
import { join, opened, served } from "./support/polled.ts";
import { ask, type PollClient } from "./support/polls.ts";

describe("polls and the limits of an endpoint", () => {
  it("count as the connections they stand for, and are sent away to come back (R70, GHSA-r635)", () =>
    served(
      async ({ url }) => {
        await opened(url);
        await using _socket = await rawClient(url);
        const { status, headers } = await ask(`${url}/socket/longpoll?vsn=2.0.0`);
        expect(status).toBe(500);
        expect(headers["retry-after"]).toMatch(/^([1-9]|10)$/);
        await expect(rawClient(url)).rejects.toMatchObject({ statusCode: 503 });
      },
      { limits: { maxConnections: 2 }, sockets: { longPoll: true } },
    ));

  it("are held to the rates of a socket: who posts too much is closed (R69)", () =>
    served(
      async ({ url }) => {
        const client = await opened(url);
        const statuses: (number | undefined)[] = [];
        const beat: Frame = [null, "1", "phoenix", "heartbeat", {}];
        while (statuses.at(-1) !== 410 && statuses.length < 1_000)
          statuses.push((await client.post(...Array.from({ length: 50 }, () => beat))).status);
        expect(statuses.at(-1)).toBe(410);
      },
      { limits: { overRateMs: 50, messageBurst: 100 }, sockets: { longPoll: true } },
    ));

  it("end with 4001 where nothing is joined in time", () =>
    served(
      async ({ url }) => {
        const client = await opened(url);
        let polled = await client.poll();
        while (polled.status === 204) polled = await client.poll();
        expect(polled.status).toBe(410);
      },
      { limits: { joinWithinMs: 500 } },
    ));
});

describe("polls from other pages", () => {
  const page = "https://app.example.com";

  it("are read where their origin is allowed, which is named; others are 403, without (L42, R72)", () =>
    served(
      async ({ url }) => {
        const poll = `${url}/socket/longpoll?vsn=2.0.0`;
        for (const [origin, status] of [
          [page, 410],
          [url, 410],
          ["https://evil.example", 403],
          ["null", 403],
          ["file://", 403],
          [`${page}.evil.example`, 403],
        ] as const) {
          const answer = await ask(poll, { headers: { origin } });
          expect([origin, answer.status]).toEqual([origin, status]);
          expect(answer.headers["access-control-allow-origin"]).toBe(
            status === 410 ? origin : undefined,
          );
          if (status === 410) expect(answer.headers.vary).toBe("origin");
        }
        expect(await ask(poll, { headers: { host: "evil.example" } })).toMatchObject({
          status: 403,
        });
      },
      { checkOrigin: [page] },
    ));

  it("are asked for beforehand, and told what they may send (§1.14, R81)", () =>
    served(
      async ({ url }) => {
        const preflight = (origin: string, asked: string): ReturnType<typeof ask> =>
          ask(`${url}/socket/longpoll`, {
            method: "OPTIONS",
            headers: { origin, "access-control-request-headers": asked },
          });
        const answer = await preflight(page, "content-type,x-phoenix-authtoken");
        expect(answer).toMatchObject({ http: 200, body: "" });
        expect(answer.headers).toMatchObject({
          "access-control-allow-origin": page,
          "access-control-allow-headers": "content-type,x-phoenix-authtoken",
          "access-control-allow-methods": "get, post, options",
          "access-control-max-age": "3600",
        });
        expect((await preflight(page, "a\tb: c")).headers["access-control-allow-headers"]).toBe(
          "content-type, x-phoenix-authtoken, x-phoenix-longpoll-token",
        );
        expect(await preflight("https://evil.example", "content-type")).toMatchObject({
          status: 403,
        });
        expect((await ask(`${url}/socket/longpoll`, { method: "DELETE" })).http).toBe(400);
      },
      { checkOrigin: [page] },
    ));

  it("bring cookies, and no Origin from a page of the endpoint's own: its fetch or its Referer says so", () =>
    served(async ({ url }) => {
      const cookie = "session=1";
      for (const [headers, status] of [
        [{ cookie, "sec-fetch-site": "same-origin" }, 410],
        [{ cookie, referer: `${url}/page?x=1` }, 410],
        [{ referer: `${url}/page` }, 410],
        [{}, 410],
        [{ cookie }, 403],
        [{ cookie, "sec-fetch-site": "none" }, 403],
        [{ cookie, referer: "https://evil.example/" }, 403],
        [{ cookie, referer: "nothing" }, 403],
        [{ "sec-fetch-site": "cross-site" }, 403],
        [{ "sec-fetch-site": "same-site", referer: `${url}/page` }, 403],
      ] as const) {
        const answer = await ask(`${url}/socket/longpoll?vsn=2.0.0`, { headers });
        expect([headers, answer.status]).toEqual([headers, status]);
      }
    }));
});

describe("an endpoint that stops", () => {
  it("answers its waiting polls, and hands out what was said before (L46, R78)", async () => {
    let client: PollClient | undefined;
    const answers: (number | undefined)[] = [];
    let polling: Promise<void> | undefined;
    let started = 0;
    await served(
      async ({ url }) => {
        client = await opened(url);
        await client.post(join);
        await client.messages(2);
        const messages: Frame[] = [];
        polling = (async () => {
          let polled = await client.poll();
          for (; polled.status !== 410; polled = await client.poll()) {
            answers.push(polled.status);
            messages.push(...(polled.messages ?? []));
          }
          answers.push(polled.status);
          expect(messages).toContainEqual([
            "1",
            "2",
            "room:1",
            "phx_reply",
            { status: "ok", response: { n: 1 } },
          ]);
        })();
        await client.post(["1", "2", "room:1", "whoami", {}]);
        started = performance.now();
      },
      { sockets: { longPoll: true } },
    );
    await polling;
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(answers).toEqual([200, 410]);
    await expect(client!.poll()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
