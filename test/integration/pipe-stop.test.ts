// How `sluice pipe` and `npm start` end: signals go to real processes.
import { spawn } from "node:child_process";
import { env } from "node:process";
import { describe, expect, it } from "vitest";
import { startClient } from "./support/client.ts";
import { makePipe, root, startSluice, watch, type SluiceProcess } from "./support/sluice.ts";
import { startSlowClient } from "./support/slow-client.ts";
import { startWriter } from "./support/writer.ts";

const most = 5_000_000;

async function msUntilExit(sluice: SluiceProcess): Promise<number> {
  const startedAt = performance.now();
  await sluice.exited;
  return performance.now() - startedAt;
}

describe("a signal to sluice pipe", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s in mid-flow: what was read is delivered, all of it, then it ends with 0",
    async (signal) => {
      using pipe = makePipe();
      await using sluice = startSluice(
        ["pipe", "--topic", "t", "--port", "0", "--wait-for", "2", "--concurrency", "1"],
        { stdin: pipe.read },
      );
      await using _writer = startWriter(most, 100, pipe.write);
      pipe.hand();
      const url = await sluice.url();
      await using first = startClient({ url, topic: "t", most });
      await using second = startClient({ url, topic: "t", most });
      await first.received(20_000);
      sluice.signal(signal);
      expect(await sluice.exited).toEqual({ code: 0, signal: null });
      const received = await sluice.figure("received");
      expect(await sluice.figure("delivered")).toBe(2 * received);
      expect(received).toBeLessThan(most);
      for (const client of [first, second]) {
        const { count, distinct, outOfOrder } = await client.received(received);
        expect({ count, distinct, outOfOrder }).toEqual({
          count: received,
          distinct: received,
          outOfOrder: 0,
        });
      }
    },
  );

  it("comes twice: it ends at once, with 130", async () => {
    using pipe = makePipe();
    await using sluice = startSluice(
      ["pipe", "--topic", "t", "--port", "0", "--wait-for", "1", "--max-wait", "60000"],
      { stdin: pipe.read },
    );
    await using writer = startWriter(most, 1_000, pipe.write);
    pipe.hand();
    await using slow = startSlowClient(await sluice.url(), "t");
    await slow.until("its first message", ({ count }) => count > 0);
    await writer.stands(1_000);
    sluice.signal("SIGINT");
    // It waits for the slow client.
    const early = await Promise.race([sluice.exited, writer.stands(500)]);
    expect(early).toEqual(expect.any(Number));
    sluice.signal("SIGINT");
    expect(await msUntilExit(sluice)).toBeLessThan(5_000);
    expect(await sluice.exited).toEqual({ code: 130, signal: null });
  });

  it("is not held up by a client that never catches up: it ends within its limit", async () => {
    using pipe = makePipe();
    await using sluice = startSluice(
      ["pipe", "--topic", "t", "--port", "0", "--wait-for", "1", "--max-wait", "60000"],
      { stdin: pipe.read },
    );
    await using writer = startWriter(most, 1_000, pipe.write);
    pipe.hand();
    await using slow = startSlowClient(await sluice.url(), "t");
    await slow.until("its first message", ({ count }) => count > 0);
    await writer.stands(1_000);
    sluice.signal("SIGTERM");
    expect(await msUntilExit(sluice)).toBeLessThan(13_000);
    // What did not get its turn, or was cut short, is said, and is a failure.
    const left = await sluice.figure("left", 0);
    const said = sluice.state ?? "";
    const isCut = left > 0 || said.includes("was cut short");
    const { code } = await sluice.exited;
    expect({ code, said }).toEqual({ code: isCut ? 1 : 0, said });
    const [received, delivered, unheard, dropped] = await Promise.all(
      ["received", "delivered", "unheard", "dropped"].map((name) => sluice.figure(name)),
    );
    expect(delivered! + unheard! + dropped! + left).toBe(received);
  });

  it.each([
    ["a quiet input", []],
    ["an input that waits for clients", ["--wait-for", "1"]],
    ["a followed file that is not there", ["--file", "/nowhere/app.log"]],
  ])("is not held up by %s", async (_what, args) => {
    using pipe = makePipe();
    await using sluice = startSluice(["pipe", "--topic", "t", "--port", "0", ...args], {
      stdin: pipe.read,
    });
    await sluice.url();
    sluice.signal("SIGINT");
    expect(await msUntilExit(sluice)).toBeLessThan(5_000);
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    expect(await sluice.figure("received")).toBe(0);
  });
});

describe("npm start", () => {
  it("serves live data within 5 s, and hands SIGTERM on: what was posted is delivered first", async () => {
    const startedAt = performance.now();
    await using npm = watch(
      spawn("npm", ["start"], {
        cwd: root,
        env: { ...env, PORT: "0" },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    const url = await npm.url();
    await using client = startClient({ url, topic: "demo:live" });
    await client.received(2);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const pushes = Array.from({ length: 15 }, (_, at) => `{"push":${at + 1}}\n`);
    const response = await fetch(`${url}/events`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: pushes.join(""),
    });
    expect([response.status, await response.json()]).toEqual([202, { accepted: 15 }]);
    npm.signal("SIGTERM");
    await client.until("the end", ({ closes }) => closes > 0);
    expect((await npm.exited).code).toBe(0);
    const arrived = client.state!.latest.flatMap(({ push }) => (push === undefined ? [] : [push]));
    expect(arrived.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      pushes.map((_, at) => at + 1),
    );
  });
});
