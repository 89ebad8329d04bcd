// `POST /events` of a running `sluice pipe`.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startClient } from "./support/client.ts";
import { startSluice, type SluiceProcess } from "./support/sluice.ts";
import { startSlowClient } from "./support/slow-client.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: { readonly accepted?: number; readonly error?: string; readonly line?: number };
}

const ndjson = { "content-type": "application/x-ndjson" };

/** Posts a body, or pieces of it with a rest before each. */
async function post(
  url: string,
  body: string | Buffer | readonly string[],
  headers: Readonly<Record<string, string>> = ndjson,
  restMs = 0,
): Promise<Answer> {
  const sending = request(url, { method: "POST", headers });
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  if (Array.isArray(body)) {
    for (const piece of body as readonly string[]) {
      await wait(restMs);
      sending.write(piece);
    }
    sending.end();
  } else sending.end(body);
  const [response] = await answered;
  const said = await text(response);
  return {
    status: response.statusCode,
    headers: response.headers,
    body: said.startsWith("{") ? (JSON.parse(said) as Answer["body"]) : {},
  };
}

function startPipe(...args: readonly string[]): SluiceProcess {
  return startSluice(["pipe", "--topic", "t", "--port", "0", "--concurrency", "1", ...args], {
    stdin: "pipe",
  });
}

describe("POST /events", () => {
  it("takes NDJSON and JSON, and every client receives it in order", async () => {
    await using sluice = startPipe();
    const url = await sluice.url();
    const events = `${url}/events`;
    await using first = startClient({ url, topic: "t", most: 6 });
    await using second = startClient({ url, topic: "t", most: 6 });
    await Promise.all([first.joined(), second.joined()]);
    expect(await post(events, "1\n2\n\n3\n")).toMatchObject({ status: 202, body: { accepted: 3 } });
    const json = { "content-type": "application/json; charset=utf-8" };
    expect(await post(events, '[4, {"data":5}]', json)).toMatchObject({ body: { accepted: 2 } });
    expect(await post(events, "6", json)).toMatchObject({ status: 202, body: { accepted: 1 } });
    for (const client of [first, second])
      expect(await client.received(6)).toMatchObject({ distinct: 6, outOfOrder: 0, sum: 21 });
  });

  it("refuses, and then takes nothing of it", async () => {
    await using sluice = startPipe("--buffer", "100");
    const url = await sluice.url();
    const events = `${url}/events`;
    await using client = startClient({ url, topic: "t" });
    await client.joined();
    const lines = (count: number): string => "7\n".repeat(count);
    const large = Buffer.alloc(1_048_577, "7\n");

    expect(await post(events, '{"a":1}\n{"a":\n{"a":3}\n')).toMatchObject({
      status: 400,
      body: { line: 2, error: "line 2: not valid JSON: it ends too early" },
    });
    expect(await post(events, lines(101))).toMatchObject({ status: 413 });
    expect(await post(events, large)).toMatchObject({ status: 413 });
    const chunked = { ...ndjson, "transfer-encoding": "chunked" };
    expect(await post(events, large, chunked)).toMatchObject({ status: 413 });
    expect(await post(events, "1", { "content-type": "text/plain" })).toMatchObject({
      status: 415,
    });
    expect(
      await post(events, "1", { ...ndjson, origin: "https://elsewhere.example" }),
    ).toMatchObject({ status: 403 });
    expect(await post(events, "1", { ...ndjson, host: "elsewhere.example" })).toMatchObject({
      status: 403,
    });
    expect((await fetch(events)).status).toBe(405);

    expect(await post(events, lines(100))).toMatchObject({ status: 202 });
    const { count } = await client.received(100);
    expect(count).toBe(100);
    sluice.signal("SIGINT");
    expect(await sluice.figure("received")).toBe(100);
  });

  it("a page of its own origin may post, and needs the token if there is one", async () => {
    const token = "correct-horse";
    await using sluice = startPipe("--token", token);
    const url = await sluice.url();
    const events = `${url}/events`;
    const own = { ...ndjson, origin: url };
    expect(await post(events, "1", own)).toMatchObject({ status: 401 });
    expect(await post(events, "1", { ...own, authorization: "Bearer wrong-horse" })).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
    });
    expect(await post(events, "1", { ...own, authorization: `Bearer ${token}` })).toMatchObject({
      status: 202,
    });
  });

  it("answers 429 while the buffer has no room for all of it, and 202 when it has", async () => {
    await using sluice = startPipe("--buffer", "50", "--max-wait", "60000");
    const url = await sluice.url();
    const events = `${url}/events`;
    await using slow = startSlowClient(url, "t");
    await slow.until("its join", ({ joined }) => joined);
    const body = `${JSON.stringify("x".repeat(20_000))}\n`.repeat(50);
    let accepted = 0;
    let refusal: Answer | undefined;
    while (refusal === undefined) {
      const answer = await post(events, body);
      if (answer.status === 202) accepted += answer.body.accepted!;
      else refusal = answer;
    }
    expect(refusal).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    slow.hurry();
    await slow.until("all that was taken", ({ count }) => count === accepted);
    expect(await post(events, body)).toMatchObject({ status: 202 });
    await slow.until("the rest", ({ count }) => count === accepted + 50);
  });

  it("?partial=1 takes any size, for as long as it comes, and says how much", async () => {
    await using sluice = startPipe("--buffer", "1000");
    const url = await sluice.url();
    await using client = startClient({ url, topic: "t", most: 100_000 });
    await client.joined();
    const partial = `${url}/events?partial=1`;
    // Longer than the 10 s that a request may take elsewhere.
    const slowly = post(partial, ["1\n2", "\n3\n", "4\n", "5\n", "6\n", "7\n"], ndjson, 1_800);
    const half = await client.received(6, 15_000);
    expect(half).toMatchObject({ distinct: 6, outOfOrder: 0 });
    expect(await slowly).toMatchObject({ status: 202, body: { accepted: 7 } });

    const large = Array.from(
      { length: 99_993 },
      (_, at) => `{"data":"${at + 8} ${"x".repeat(20)}"}\n`,
    );
    expect(await post(partial, large.join(""))).toMatchObject({ body: { accepted: 99_993 } });
    expect(await client.received(100_000)).toMatchObject({ distinct: 100_000, outOfOrder: 0 });

    expect(await post(partial, "1\n2\nnonsense\n4\n")).toMatchObject({
      status: 400,
      body: { accepted: 2, line: 3 },
    });
    expect((await client.received(100_002)).count).toBe(100_002);
  });
});
