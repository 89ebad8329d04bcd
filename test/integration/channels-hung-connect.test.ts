// A `connect` that does not answer, such as one whose database is away.
import { once } from "node:events";
import { connect as dial } from "node:net";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type ConnectInfo, type Limits } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { until } from "./support/clients.ts";

interface World {
  readonly url: string;
  /** Signals of the `connect` that hang. */
  readonly signals: AbortSignal[];
  /** What they were told. */
  readonly infos: ConnectInfo[];
  /** How many of them run, though nobody waits for them. */
  readonly zombies: () => number;
  /** Answers all that hang. */
  readonly answer: () => void;
}

/** Serves two clients at a time while `body` runs: at `/hang`, `connect` waits. Resolves with how long the stop took. */
function hanging(body: (world: World) => Promise<void>, limits: Partial<Limits> = {}) {
  const web = endpoint<{ lobby: {} }>("web");
  const channels = [web.channel("lobby", { join: () => ({ assigns: {} }) })];
  const signals: AbortSignal[] = [];
  const infos: ConnectInfo[] = [];
  const gate = Promise.withResolvers<{}>();
  let zombies = 0;
  return withSystem(async () => {
    using _zombies = attach("sluice.process.zombie", ({ count }) => (zombies = count));
    const app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          limits: { maxConnections: 2, ...limits },
          sockets: {
            "/free": { connect: () => ({}), channels },
            "/hang": {
              connect: (_params, info) => {
                signals.push(info.signal);
                infos.push(info);
                return gate.promise;
              },
              channels,
              longPoll: true,
            },
          },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body({ url, signals, infos, zombies: () => zombies, answer: () => gate.resolve({}) });
    const stopsAt = performance.now();
    await app[Symbol.asyncDispose]();
    return performance.now() - stopsAt;
  });
}

const knock = (url: string, path: string): WebSocket =>
  new WebSocket(`${url.replace("http", "ws")}${path}/websocket?vsn=2.0.0`).on("error", () => {});

/** The status that an upgrade is answered with. */
async function statusOf(socket: WebSocket): Promise<number | undefined> {
  const statuses = ["upgrade", "unexpected-response"].map(async (event) => {
    const [first, second] = (await once(socket, event)) as [object, object?];
    return ((second ?? first) as { readonly statusCode: number }).statusCode;
  });
  const status = await Promise.race(statuses);
  for (const other of statuses) other.catch(() => {});
  socket.terminate();
  return status;
}

describe("a connect that hangs", () => {
  it("is told by its signal when its client hangs up, and holds no place (R26, R70)", () =>
    hanging(async ({ url, signals, zombies, answer }) => {
      const gone = [knock(url, "/hang"), knock(url, "/hang")];
      await until(() => signals.length === 2);
      expect(await statusOf(knock(url, "/free"))).toBe(503);
      for (const socket of gone) socket.terminate();
      await until(() => signals.every(({ aborted }) => aborted) && zombies() === 2);
      expect(await statusOf(knock(url, "/free"))).toBe(101);
      answer();
      await until(() => zombies() === 0);
    }));

  it("is still told who its client was, when that has hung up", () =>
    hanging(async ({ url, signals, infos }) => {
      const gone = knock(url, "/hang");
      await until(() => signals.length === 1);
      gone.terminate();
      await until(() => signals[0]!.aborted);
      expect(infos[0]!.remoteAddress).toBe("127.0.0.1");
      expect(infos[0]!.remotePort).toBeGreaterThan(0);
    }));

  it("is not run again and again for clients that hang up, without end (R70)", () =>
    hanging(async ({ url, signals, zombies, answer }) => {
      for (const most of [2, 4]) {
        const gone = [knock(url, "/hang"), knock(url, "/hang")];
        await until(() => signals.length === most);
        for (const socket of gone) socket.terminate();
        await until(() => zombies() === most);
      }
      expect(await statusOf(knock(url, "/free"))).toBe(503);
      answer();
      await until(() => zombies() === 0);
      expect(await statusOf(knock(url, "/free"))).toBe(101);
    }));

  it("is over when its client ought to have joined: 503, and a free place (R70)", () =>
    hanging(
      async ({ url, signals }) => {
        const asked = performance.now();
        const statuses = Promise.all([1, 2].map(() => statusOf(knock(url, "/hang"))));
        expect(await statuses).toEqual([503, 503]);
        expect(performance.now() - asked).toBeGreaterThan(300);
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
        expect(await statusOf(knock(url, "/free"))).toBe(101);
        const poll = await fetch(`${url}/hang/longpoll?vsn=2.0.0`);
        expect(await poll.json()).toEqual({ status: 500 });
      },
      { joinWithinMs: 400 },
    ));

  it("does not hold up the stop", async () => {
    let answered = "";
    const tookMs = await hanging(async ({ url, signals }) => {
      const { host, port } = new URL(url);
      const line = dial(Number(port), "127.0.0.1").on("data", (data) => (answered += String(data)));
      line.write(
        `GET /hang/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      );
      await until(() => signals.length === 1);
    });
    expect(tookMs).toBeLessThan(3_000);
    await until(() => answered.startsWith("HTTP/1.1 503 "));
  });
});
