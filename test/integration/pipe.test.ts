import { crc32 } from "node:zlib";
import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { appendFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startClient } from "./support/client.ts";
import { makePipe, scratch, startSluice, type SluiceProcess } from "./support/sluice.ts";
import { startSlowClient } from "./support/slow-client.ts";
import { startTcpProxy } from "./support/tcp-proxy.ts";
import { startWriter } from "./support/writer.ts";

const lines = 100_000;

/** What a client that has received `seq 1 count` in order has. */
function sequence(count: number): object {
  let checksum = 0;
  for (let number = 1; number <= count; number++) checksum = crc32(`${number}\n`, checksum);
  const sum = (count * (count + 1)) / 2;
  return { count, distinct: count, outOfOrder: 0, sum, checksum };
}

/** A payload without what the server has written into it. */
function own(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload).filter(([key]) => key !== "~"));
}

/** `seq 1 count | sluice pipe …` */
function pipeSequence(count: number, args: readonly string[]): SluiceProcess {
  using pipe = makePipe();
  spawn("seq", ["1", String(count)], { stdio: ["ignore", pipe.write, "inherit"] });
  return startSluice(["pipe", "--topic", "t:1", "--port", "0", ...args], { stdin: pipe.read });
}

describe("sluice pipe", () => {
  it("delivers every line to every client, in order where one is delivered at a time", async () => {
    await using sluice = pipeSequence(lines, ["--wait-for", "2", "--concurrency", "1", "--exit"]);
    const url = await sluice.url();
    await using first = startClient({ url, topic: "t:1", most: lines });
    await using second = startClient({ url, topic: "t:1", most: lines });
    await Promise.all([first.received(lines), second.received(lines)]);
    expect(first.state).toMatchObject(sequence(lines));
    expect(second.state).toMatchObject(sequence(lines));
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    expect(await sluice.figure("received")).toBe(lines);
    expect(await sluice.figure("delivered")).toBe(2 * lines);
    expect(await sluice.figure("unheard")).toBe(0);
    expect(await sluice.figure("dropped")).toBe(0);
  });

  it("delivers every line to every client where several are delivered at a time", async () => {
    await using sluice = pipeSequence(lines, ["--wait-for", "2", "--exit"]);
    const url = await sluice.url();
    await using first = startClient({ url, topic: "t:1", most: lines });
    await using second = startClient({ url, topic: "t:1", most: lines });
    await Promise.all([first.received(lines), second.received(lines)]);
    const { count, distinct, sum } = sequence(lines) as typeof first.state & object;
    expect(first.state).toMatchObject({ count, distinct, sum });
    expect(second.state).toMatchObject({ count, distinct, sum });
    expect((await sluice.exited).code).toBe(0);
  });

  it("says how much was unheard where nobody joined", async () => {
    await using sluice = pipeSequence(1_000, ["--exit"]);
    expect((await sluice.exited).code).toBe(0);
    expect(await sluice.figure("received")).toBe(1_000);
    expect(await sluice.figure("delivered")).toBe(0);
    expect(await sluice.figure("unheard")).toBe(1_000);
  });

  it("runs twice at once", async () => {
    await using one = pipeSequence(10, ["--wait-for", "1", "--exit"]);
    await using other = pipeSequence(20, ["--wait-for", "1", "--exit"]);
    await using first = startClient({ url: await one.url(), topic: "t:1", most: 20 });
    await using second = startClient({ url: await other.url(), topic: "t:1", most: 20 });
    expect((await first.received(10)).sum).toBe(55);
    expect((await second.received(20)).sum).toBe(210);
    expect([(await one.exited).code, (await other.exited).code]).toEqual([0, 0]);
  });

  it("parses NDJSON, passes objects as they are, and leaves bad lines out", async () => {
    await using sluice = startSluice(
      ["pipe", "--topic", "t", "--port", "0", "--format", "ndjson", "--wait-for", "1", "--exit"],
      { stdin: "pipe" },
    );
    await using client = startClient({ url: await sluice.url(), topic: "t" });
    sluice.child.stdin?.end('{"a":1}\nnonsense\n\n7\n[1]\n{"~":{"receipt":1}}\n{"half":\n"last"');
    expect((await client.received(5)).latest.map(own)).toEqual([
      { a: 1 },
      { data: 7 },
      { data: [1] },
      { data: { "~": { receipt: 1 } } },
      { data: "last" },
    ]);
    expect((await sluice.exited).code).toBe(0);
    expect(sluice.state).toMatch(/^line 2 is left out: not valid JSON/m);
    expect(sluice.state).toMatch(/^line 7 is left out: not valid JSON/m);
    expect(await sluice.figure("bad lines")).toBe(2);
  });

  it("hands the last hundred messages to a client that comes later, before what follows", async () => {
    await using sluice = startSluice(
      ["pipe", "--topic", "t", "--port", "0", "--concurrency", "1"],
      {
        stdin: "pipe",
      },
    );
    const url = await sluice.url();
    await using first = startClient({ url, topic: "t", most: 200 });
    await first.joined();
    sluice.child.stdin?.write(Array.from({ length: 150 }, (_, at) => `${at + 1}\n`).join(""));
    await first.received(150);
    await using later = startClient({ url, topic: "t", most: 200 });
    const { recent } = await later.joined();
    expect(recent).toHaveLength(100);
    expect(recent[0]).toMatchObject({ event: "push", payload: { data: "51" } });
    expect(recent[99]).toMatchObject({ event: "push", payload: { data: "150" } });
    sluice.child.stdin?.write("151\n");
    expect((await later.received(1)).last).toMatchObject({ data: "151" });
  });

  it("follows a file over rotation and truncation", async () => {
    using folder = scratch();
    const path = join(folder.path, "app.log");
    await writeFile(path, "before\n");
    await using sluice = startSluice([
      "pipe",
      "--topic",
      "t",
      "--port",
      "0",
      "--file",
      path,
      "--concurrency",
      "1",
    ]);
    await using client = startClient({ url: await sluice.url(), topic: "t" });
    await client.joined();
    await appendFile(path, "one\ntwo\n");
    await client.received(2);
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, "late\n");
    await writeFile(path, "three\n");
    await client.received(4);
    await truncate(path);
    await appendFile(path, "four\n");
    const { latest } = await client.received(5);
    expect(latest.map(({ data }) => data)).toEqual(["one", "two", "late", "three", "four"]);
    sluice.signal("SIGINT");
    expect((await sluice.exited).code).toBe(0);
    expect(await sluice.figure("received")).toBe(5);
  });

  it("asks whoever joins for the token", async () => {
    const token = "correct-horse";
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0", "--token", token], {
      stdin: "pipe",
    });
    const url = await sluice.url();
    await using stranger = startClient({ url, topic: "t" });
    await using liar = startClient({ url, topic: "t", params: { token: "wrong-horse" } });
    await using friend = startClient({ url, topic: "t", params: { token } });
    await friend.joined();
    await stranger.until("a refusal", ({ refused }) => refused === "unauthorized");
    await liar.until("a refusal", ({ refused }) => refused === "unauthorized");
    sluice.child.stdin?.write("secret\n");
    await friend.received(1);
    expect([stranger.state?.count, liar.state?.count]).toEqual([0, 0]);
    const config = (await (await fetch(`${url}/config.json`)).json()) as object;
    expect(config).toMatchObject({ token: true });
    expect(sluice.state).not.toContain(token);
  });

  it("says that its port is taken, and ends with 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", String(port)]);
    expect((await sluice.exited).code).toBe(1);
    expect(sluice.state).toMatch(new RegExp(`^sluice: .*${port}.*--port`, "m"));
    expect(sluice.state).not.toMatch(/^ +at /m);
    server.close();
  });

  it.each([
    [["pipe"], "--topic"],
    [["pipe", "--topic", "t", "--colour"], "--colour"],
    [["pipe", "--topic", "t", "--host", "0.0.0.0"], "--token"],
    [["pour"], "pipe or demo"],
  ])("ends with 2 where it does not understand %j", async (args, named) => {
    await using sluice = startSluice(args);
    expect((await sluice.exited).code).toBe(2);
    expect(sluice.state).toMatch(/^sluice: .+\n$/);
    expect(sluice.state).toContain(named);
  });

  it("ends with 2 where the file is none that can be followed", async () => {
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0", "--file", "/"]);
    expect((await sluice.exited).code).toBe(2);
    expect(sluice.state).toMatch(/^sluice: --file: got "\/", expected a regular file.+\n$/);
  });

  it("ends with 1 where its input fails", async () => {
    // A file that can be opened, and not be read.
    const file = "/proc/self/mem";
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0", "--file", file]);
    expect((await sluice.exited).code).toBe(1);
    expect(sluice.state).toMatch(/^the input has failed: Error: EIO/m);
  });
});

describe("a slow client of sluice pipe", () => {
  it("makes the writer block, until it is disconnected and the others get everything", async () => {
    const count = 60_000;
    const lineBytes = 1_000;
    using pipe = makePipe();
    await using sluice = startSluice(
      // prettier-ignore
      ["pipe", "--topic", "t:1", "--port", "0", "--wait-for", "3", "--concurrency", "1", "--max-wait", "6000", "--exit"],
      { stdin: pipe.read },
    );
    await using writer = startWriter(count, lineBytes, pipe.write);
    pipe.hand();
    const url = await sluice.url();
    await using first = startClient({ url, topic: "t:1", most: count });
    await using second = startClient({ url, topic: "t:1", most: count });
    await using slow = startSlowClient(url, "t:1");

    await first.received(1);
    const blocked = await writer.stands(2_500);
    expect(blocked).toBeGreaterThan(0);
    expect(blocked).toBeLessThan(count * lineBytes);
    expect(slow.state?.ended).toBe(false);

    // The close stands behind what it has not read, and who has not read it after 5 s is cut off without.
    await sluice.says(/^a client was too slow, and was disconnected$/m);
    slow.hurry();
    expect(await slow.until("its end", ({ ended }) => ended)).toMatchObject({ code: 4008 });
    expect(slow.state?.count).toBeLessThan(count);

    const all = 40_000;
    await Promise.all([first.received(count, all), second.received(count, all)]);
    expect(first.state).toMatchObject({ count, distinct: count, outOfOrder: 0 });
    expect(second.state).toMatchObject({ count, distinct: count, outOfOrder: 0 });
    expect((await sluice.exited).code).toBe(0);
    expect(await sluice.figure("received")).toBe(count);
  }, 90_000);
});

describe("a connection of sluice pipe", () => {
  it("that is cut is made again, and what follows is received", async () => {
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0"], { stdin: "pipe" });
    await using proxy = await startTcpProxy(await sluice.url());
    await using client = startClient({ url: proxy.url, topic: "t" });
    await client.joined();
    sluice.child.stdin?.write("before\n");
    await client.received(1);
    proxy.cut();
    await client.joined(2);
    expect(client.state?.closes).toBe(1);
    expect(proxy.connections).toBe(2);
    sluice.child.stdin?.write("after\n");
    expect((await client.received(2)).last).toMatchObject({ data: "after" });
  });

  it("that delays what comes by 200 ms reads a latency of 200 ms at least", async () => {
    const delayMs = 200;
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0"], { stdin: "pipe" });
    const url = await sluice.url();
    await using proxy = await startTcpProxy(url, delayMs);
    await using far = startClient({ url: proxy.url, topic: "t", receipts: true });
    await using near = startClient({ url, topic: "t", stats: true });
    await Promise.all([far.joined(), near.joined()]);
    const writing = setInterval(() => sluice.child.stdin?.write("tick\n"), 20);
    const { stats } = await near.until(
      "ten receipts",
      ({ stats }) => (stats?.latency.count ?? 0) >= 10 && (stats?.latency.p50Ms ?? 0) > 100,
    );
    clearInterval(writing);
    expect(stats?.latency.minMs).toBeGreaterThanOrEqual(delayMs);
    expect(stats?.latency.p50Ms).toBeGreaterThanOrEqual(delayMs);
    expect(stats?.latency.p50Ms).toBeLessThan(10 * delayMs);
  });
});
