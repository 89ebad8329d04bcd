// Sockets and channels on the simulated Runtime: the stock client, connected in memory, under virtual time.
import { Socket, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Faults, type Simulation } from "../../testing/index.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { clientsOf, onReceipt, send, whenJoined } from "../delivery-api.ts";
import type { Limits } from "../limits.ts";
import { memoryTransport, type MemoryTransport } from "./memory-transport.ts";
import { Refused } from "../refused.ts";

interface Topics {
  "room:*": {
    in: { add(payload: { readonly n: number }): { readonly sum: number } };
    out: { news: { readonly n: number } };
  };
  log: { out: { line: { readonly n: number } }; history: true };
}

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  readonly transport: MemoryTransport;
  readonly left: string[];
  readonly client: () => Socket;
}

function world(
  body: (world: World) => Promise<void>,
  seeds: number | readonly number[] = 3,
  limits: Partial<Limits> = {},
  faults: Faults = {},
): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const web = endpoint<Topics>("web");
      const left: string[] = [];
      const room = web.channel("room:*", {
        schemas: "trusted",
        join(_params, { key }) {
          if (key === "closed") throw new Refused({ reason: "closed" });
          return { assigns: { sum: 0 } };
        },
        on: { add: ({ n }, channel) => ({ sum: (channel.assigns.sum += n) }) },
        leave: ({ topic }) => void left.push(topic),
      });
      const log = web.channel("log", {
        join: () => ({ assigns: {} }),
        history: { count: 5, onJoin: 3, maxReplay: 4 },
      });
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        maxRestarts: 1_000,
        children: {
          web: web.child({
            port: 4000,
            limits,
            sockets: { "/socket": { connect: () => ({}), channels: [room, log] } },
          }),
        },
      });
      const transport = memoryTransport();
      const sockets: Socket[] = [];
      const client = (): Socket => {
        const socket = new Socket("ws://localhost/socket", { transport });
        sockets.push(socket);
        socket.connect();
        return socket;
      };
      await body({ ...simulation, web, transport, left, client });
      for (const socket of sockets) socket.disconnect();
      await simulation.advance(1_000);
    },
    { seeds, faults },
  );
}

function joinOk(channel: Channel): Promise<unknown> {
  return new Promise((resolve, reject) => {
    channel.join().receive("ok", resolve).receive("error", reject).receive("timeout", reject);
  });
}

function answer(channel: Channel, event: string, payload: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    channel.push(event, payload).receive("ok", resolve).receive("error", reject);
  });
}

/** Numbers that a channel hears. */
function heard(channel: Channel, event: string): number[] {
  const numbers: number[] = [];
  channel.on(event, ({ n }: { readonly n: number }) => void numbers.push(n));
  return numbers;
}

describe("an endpoint in memory", () => {
  it("serves the stock client, whatever runs first", () =>
    world(async ({ client, web, quiet, left }) => {
      const channel = client().channel("room:1");
      const news = heard(channel, "news");
      await joinOk(channel);
      expect(await answer(channel, "add", { n: 2 })).toEqual({ sum: 2 });
      expect(await answer(channel, "add", { n: 3 })).toEqual({ sum: 5 });
      for (let n = 0; n < 50; n++) web.broadcast("room:1", "news", { n });
      await quiet();
      expect(news).toEqual(Array.from({ length: 50 }, (_, n) => n));
      channel.leave();
      await quiet();
      expect(left).toEqual(["room:1"]);
    }, 20));

  it("is tidy under its deadlines: never joined 15 s, silent 60 s (R76)", () =>
    world(async ({ client, advance }) => {
      const codes: number[] = [];
      const socket = client();
      socket.onClose(({ code }) => {
        codes.push(code);
        socket.disconnect();
      });
      await advance(14_000);
      expect(codes).toEqual([]);
      await advance(3_000);
      expect(codes).toEqual([4001]);

      const lively = client();
      const channel = lively.channel("room:1");
      await joinOk(channel);
      // The stock client sends a heartbeat every 30 s.
      await advance(300_000);
      expect(lively.isConnected()).toBe(true);
      expect(channel.state).toBe("joined");
    }, 1));

  it("closes what says nothing for a minute (R76)", () =>
    world(async ({ transport, advance }) => {
      const socket = new transport("ws://localhost/socket/websocket?vsn=2.0.0");
      let code: number | undefined;
      socket.onopen = () => socket.send(JSON.stringify(["1", "1", "room:1", "phx_join", {}]));
      socket.onclose = (event) => (code = event.code);
      await advance(59_000);
      expect(code).toBeUndefined();
      await advance(3_000);
      expect(code).toBe(1001);
    }, 1));

  it("makes the same checks: path, host, origin, version (C15)", () =>
    world(async ({ quiet }) => {
      const codes: number[] = [];
      const knock = (url: string, headers: Record<string, string> = {}): void => {
        const socket = new (memoryTransport(currentSystem(), { headers }))(url);
        socket.onclose = ({ code }) => codes.push(code);
        socket.onopen = () => codes.push(0);
      };
      knock("ws://localhost/elsewhere/websocket?vsn=2.0.0");
      knock("ws://evil.example/socket/websocket?vsn=2.0.0");
      knock("ws://localhost/socket/websocket?vsn=3.0.0");
      knock("ws://localhost/socket/websocket?vsn=2.0.0", { origin: "https://evil.example" });
      await quiet();
      expect(codes).toEqual([1006, 1006, 1006, 1006]);
    }, 1));

  it("survives crashes of any of its processes: clients come back, and hear (R79)", async () => {
    using _quiet = attach("sluice.log", () => {});
    await world(
      async ({ client, web, advance, calm }) => {
        const socket = client();
        const channel = socket.channel("room:1");
        const news = heard(channel, "news");
        channel.join();
        for (let n = 0; n < 60; n++) {
          channel.push("add", { n });
          web.broadcast("room:1", "news", { n });
          await advance(500);
        }
        calm();
        await advance(60_000);
        expect(channel.state).toBe("joined");
        const from = news.length;
        expect(clientsOf(web, currentSystem(), "room:1")).toBe(1);
        web.broadcast("room:1", "news", { n: 1_000 });
        await advance(10);
        expect(news.slice(from)).toEqual([1_000]);
        expect(news).toEqual([...new Set(news)].toSorted((one, other) => one - other));
      },
      400,
      { failedJoinsPerMinute: 1_000, joinsPerSecond: 1_000 },
      { crash: 0.05 },
    );
  });
});

describe("what the layers above are given", () => {
  it("tells how many have joined, and when as many as wanted have", () =>
    world(async ({ client, web, quiet, advance }) => {
      const system = currentSystem();
      let isThere = false;
      void whenJoined(web, system, "room:1", 2).then(() => (isThere = true));
      await joinOk(client().channel("room:1"));
      await quiet();
      expect([clientsOf(web, system, "room:1"), isThere]).toEqual([1, false]);
      const other = client();
      await joinOk(other.channel("room:1"));
      await joinOk(other.channel("room:2"));
      await quiet();
      expect([clientsOf(web, system, "room:1"), isThere]).toEqual([2, true]);
      await whenJoined(web, system, "room:1", 1);
      const controller = new AbortController();
      const never = whenJoined(web, system, "room:1", 3, controller.signal);
      controller.abort(new Error("enough"));
      await expect(never).rejects.toThrow("enough");
      other.disconnect();
      await advance(1_000);
      expect(clientsOf(web, system, "room:1")).toBe(1);
    }));

  it("tells when a message is on all its sockets, and on how many", () =>
    world(async ({ client, web, quiet }) => {
      const system = currentSystem();
      const written: number[] = [];
      const say = (topic: string): unknown =>
        send(web, system, topic, "news", { n: 1 }, { written: (count) => written.push(count) });
      say("room:1");
      expect(written).toEqual([0]);
      for (let n = 0; n < 3; n++) await joinOk(client().channel("room:1"));
      say("room:1");
      expect(written).toEqual([0]);
      await quiet();
      expect(written).toEqual([0, 3]);
    }));

  it("waits for a client over its limit until it has caught up", () =>
    world(
      async ({ client, transport, web, quiet, advance }) => {
        const system = currentSystem();
        const channel = client().channel("room:1");
        const news = heard(channel, "news");
        await joinOk(channel);
        transport.sockets[0]!.pause();
        let sent = 0;
        let wait: Promise<void> | undefined;
        while (wait === undefined && sent < 10_000) {
          wait = send(web, system, "room:1", "news", { n: sent++ }, { slow: "wait" });
          if (sent % 50 === 0) await quiet();
        }
        let waited = false;
        void wait!.then(() => (waited = true));
        // Past the limit plus what the line takes, and no further.
        expect(sent * 40).toBeLessThan(200_000);
        await advance(500);
        expect(waited).toBe(false);
        transport.sockets[0]!.resume();
        await advance(100);
        expect(waited).toBe(true);
        expect(news).toEqual(Array.from({ length: sent }, (_, n) => n));
        expect(channel.state).toBe("joined");
      },
      2,
      { maxPendingBytes: 50_000, lowMarkBytes: 10_000 },
    ));

  it("waits no longer than said, counted from the limit; then the client is disconnected", () =>
    world(
      async ({ client, transport, web, quiet, advance }) => {
        const system = currentSystem();
        const slow = client();
        const codes: number[] = [];
        slow.onClose(({ code }) => void codes.push(code));
        await joinOk(slow.channel("room:1"));
        const fast = client().channel("room:1");
        const news = heard(fast, "news");
        await joinOk(fast);
        transport.sockets[0]!.pause();
        const options = { slow: "wait", maxWaitMs: 400 } as const;
        let sent = 0;
        let wait: Promise<void> | undefined;
        while (wait === undefined && sent < 10_000) {
          wait = send(web, system, "room:1", "news", { n: sent++ }, options);
          if (sent % 50 === 0) await quiet();
        }
        const started = system.runtime.now();
        await advance(300);
        const later = send(web, system, "room:1", "news", { n: sent++ }, options);
        await Promise.all([wait, later]);
        expect(Math.round(system.runtime.now() - started)).toBe(400);
        await advance(1);
        expect(news).toHaveLength(sent);
        expect(clientsOf(web, system, "room:1")).toBe(1);
        transport.sockets[0]!.resume();
        await advance(1);
      },
      2,
      { maxPendingBytes: 50_000, lowMarkBytes: 10_000 },
    ));

  it("hands on receipts of joined topics, past the channel", () =>
    world(async ({ client, web, quiet }) => {
      const receipts: unknown[] = [];
      using _receipts = onReceipt(currentSystem(), web.key, (topic, id) =>
        receipts.push([topic, id]),
      );
      const channel = client().channel("room:1");
      await joinOk(channel);
      channel.push("~receipt", { id: 7 });
      channel.push("~receipt", "nonsense" as never);
      await quiet();
      expect(receipts).toEqual([["room:1", 7]]);
      expect(await answer(channel, "add", { n: 1 })).toEqual({ sum: 1 });
    }));

  it("adds what it is told to a payload, under the reserved key", () =>
    world(async ({ client, web, quiet }) => {
      const channel = client().channel("room:1");
      const payloads: unknown[] = [];
      channel.on("news", (payload) => void payloads.push(payload));
      await joinOk(channel);
      void send(web, currentSystem(), "room:1", "news", { n: 1 }, { meta: { receipt: 9 } });
      void send(web, currentSystem(), "room:1", "news", {}, { meta: { receipt: 10 } });
      await quiet();
      expect(payloads).toEqual([{ n: 1, "~": { receipt: 9 } }, { "~": { receipt: 10 } }]);
    }));
});

describe("a topic with history", () => {
  it("numbers what is published, also before anybody has joined", () =>
    world(async ({ web }) => {
      const first = await web.publish("log", "line", { n: 1 });
      web.broadcast("log", "line", { n: 2 });
      const third = await web.publish("log", "line", { n: 3 });
      expect([first.offset, third]).toEqual([1, { epoch: first.epoch, offset: 3 }]);
    }));

  it("hands the newest over in the join reply, and then goes on", () =>
    world(async ({ client, web, quiet }) => {
      for (let n = 1; n <= 4; n++) web.broadcast("log", "line", { n });
      const channel = client().channel("log");
      const offsets: unknown[] = [];
      channel.on(
        "line",
        (payload: { readonly n: number; readonly "~": { offset: number } }) =>
          void offsets.push([payload.n, payload["~"].offset]),
      );
      const reply = (await joinOk(channel)) as { readonly "~": { readonly epoch: string } };
      expect(reply).toEqual({
        "~": {
          epoch: expect.any(String) as string,
          offset: 4,
          recent: [2, 3, 4].map((n) => ({ event: "line", payload: { n, "~": { offset: n } } })),
        },
      });
      web.broadcast("log", "line", { n: 5 });
      await quiet();
      expect(offsets).toEqual([[5, 5]]);
    }));

  it("has neither hole nor double at the join, whenever it comes (C41)", () =>
    world(async ({ client, web, quiet, advance, random }) => {
      const channel = client().channel("log");
      const live: number[] = heard(channel, "line");
      let joined: number[] = [];
      channel.join().receive("ok", (reply: { "~": { recent: { payload: { n: number } }[] } }) => {
        joined = reply["~"].recent.map(({ payload }) => payload.n);
      });
      for (let n = 1; n <= 30; n++) {
        web.broadcast("log", "line", { n });
        if (random() < 0.5) await advance(0.1);
      }
      await quiet();
      const first = (joined[0] ?? live[0])!;
      expect([...joined, ...live]).toEqual(
        Array.from({ length: 31 - first }, (_, index) => first + index),
      );
    }, 100));

  it("resumes, says what is missing, and says when it began anew", () =>
    world(async ({ client, web }) => {
      const { epoch } = await web.publish("log", "line", { n: 1 });
      for (let n = 2; n <= 4; n++) web.broadcast("log", "line", { n });
      const rejoin = async (since: unknown): Promise<unknown[]> => {
        const channel = client().channel("log", { since });
        const lines = heard(channel, "line");
        const { "~": place } = (await joinOk(channel)) as { "~": { status?: string } };
        web.broadcast("room:1", "news", { n: 0 });
        await new Promise((resolve) => setTimeout(resolve, 1));
        return [place.status, ...lines];
      };
      expect(await rejoin({ epoch, offset: 2 })).toEqual(["resumed", 3, 4]);
      expect(await rejoin({ epoch, offset: 4 })).toEqual(["resumed"]);
      for (let n = 5; n <= 8; n++) web.broadcast("log", "line", { n });
      expect(await rejoin({ epoch, offset: 1 })).toEqual(["gap", 5, 6, 7, 8]);
      expect(await rejoin({ epoch, offset: 3 })).toEqual(["gap", 5, 6, 7, 8]);
      expect(await rejoin({ epoch: "other", offset: 8 })).toEqual(["reset", 5, 6, 7, 8]);
      expect(await rejoin("nonsense")).toEqual(["reset", 5, 6, 7, 8]);
    }, 1));
});
