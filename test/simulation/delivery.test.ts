import { Socket, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { Producer, child, name, sleep, startSupervisor, topology } from "sluice";
import { endpoint, type Endpoint } from "sluice/channels";
import { sendReceipts } from "sluice/client";
import { deliveryFigures, sink, type SinkOptions } from "sluice/delivery";
import { attach } from "sluice/telemetry";
import { memoryTransport, simulate, type Simulation } from "sluice/testing";

interface Line {
  readonly n: number;
  readonly text: string;
}
interface Topics {
  "lines:*": { out: { line: Line } };
}

class Lines extends Producer<Line> {
  async push(lines: readonly Line[]): Promise<void> {
    this.emit(lines);
    await Promise.resolve();
  }
  /** With back-pressure. */
  offerAll(lines: readonly Line[]): Promise<void> {
    return this.offer(lines);
  }
}
const source = name<Lines>("lines");

/** A client of the stock kind, with what it saw. */
interface Client {
  readonly seen: number[];
  readonly socket: Socket;
  readonly channel: Channel;
  /** Its line, to be rough with. */
  line(): { pause(): void; resume(): void; readonly readyState: number };
}

interface World {
  readonly web: Endpoint<Topics, {}>;
  readonly clients: Client[];
  readonly join: (topic: string, receipts?: boolean) => Promise<Client>;
  readonly pending: () => number;
}

const wide = "x".repeat(1_000);
const line = (n: number): Line => ({ n, text: wide });

/** Runs `body` with an endpoint and a sink that takes what `source` emits to the topic lines:1. */
function world(
  options: SinkOptions,
  body: (world: World, simulation: Simulation) => Promise<void>,
) {
  return async (simulation: Simulation): Promise<void> => {
    using _log = attach("sluice.log", () => {});
    const web = endpoint<Topics>("web");
    const channel = web.channel("lines:*", { join: () => ({ assigns: {} }) });
    const toClients = sink(
      web,
      (payload: Line) => ({ topic: "lines:1", event: "line", payload }) as const,
      options,
    );
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        endpoint: web.child({
          port: 4000,
          sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
        }),
        lines: child(Lines, { name: source, bufferSize: 100 }),
        sink: child(toClients, { subscribeTo: [{ to: source, maxDemand: 100 }] }),
      },
    });
    const clients: Client[] = [];
    const join = async (topic: string, receipts = false): Promise<Client> => {
      const transport = memoryTransport();
      const socket = new Socket("ws://localhost:4000/socket", {
        transport: transport as unknown as typeof WebSocket,
      });
      socket.connect();
      const seen: number[] = [];
      const joined = socket.channel(topic, {});
      if (receipts) sendReceipts(joined);
      joined.on("line", ({ n }: Line) => void seen.push(n));
      await new Promise<void>((resolve, reject) => {
        joined
          .join()
          .receive("ok", () => resolve())
          .receive("error", reject);
      });
      const client = { seen, socket, channel: joined, line: () => transport.sockets.at(-1)! };
      clients.push(client);
      return client;
    };
    const pending = (): number =>
      topology(app).nodes.reduce((sum, { figures }) => sum + (figures["buffered"] ?? 0), 0);
    await body({ web, clients, join, pending }, simulation);
    await Promise.all(
      clients.map(({ socket }) => new Promise<void>((resolve) => socket.disconnect(resolve))),
    );
  };
}

describe("sink", () => {
  it("delivers each event once and in order to those who joined its topic, and counts", async () => {
    await simulate(
      world({}, async ({ web, join }, { quiet }) => {
        const [one, two, other] = [
          await join("lines:1"),
          await join("lines:1"),
          await join("lines:2"),
        ];
        await source.call.push([1, 2, 3].map(line));
        await source.call.push([4].map(line));
        await quiet();
        expect([one.seen, two.seen, other.seen]).toEqual([[1, 2, 3, 4], [1, 2, 3, 4], []]);
        const { messages, delivered, unheard, toSocket } = deliveryFigures(web);
        expect([messages, delivered, unheard, toSocket.count]).toEqual([4, 8, 0, 4]);
      }),
      { seeds: 20 },
    );
  });

  it("a message that nobody hears is counted as unheard, and has no latency", async () => {
    await simulate(
      world({}, async ({ web }, { quiet }) => {
        await source.call.push([line(1)]);
        await quiet();
        const { messages, delivered, unheard, toSocket } = deliveryFigures(web);
        expect([messages, delivered, unheard, toSocket.count]).toEqual([1, 0, 1, 0]);
      }),
      { seeds: 1 },
    );
  });

  it("measures from the entry into the pipeline, waiting in a buffer included, and tells of each message (C21)", async () => {
    await simulate(
      async () => {
        const web = endpoint<Topics>("web");
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: { lines: child(Lines, { name: source }) },
        });
        await source.call.push([line(1)]);
        await sleep(500);
        const late = sink(
          web,
          (payload: Line) => ({ topic: "lines:1", event: "line", payload }) as const,
        );
        const latencies: number[] = [];
        using _stop = attach("sluice.delivery.stop", ({ latencyMs, ...what }) => {
          latencies.push(latencyMs);
          expect(what).toEqual({ topic: "lines:1", event: "line", clients: 1 });
        });
        const channel = web.channel("lines:*", { join: () => ({ assigns: {} }) });
        await using _more = await startSupervisor({
          strategy: "one_for_one",
          children: {
            endpoint: web.child({
              port: 4000,
              sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
            }),
          },
        });
        const socket = new Socket("ws://localhost:4000/socket", {
          transport: memoryTransport() as unknown as typeof WebSocket,
        });
        socket.connect();
        await new Promise<void>((resolve) =>
          socket
            .channel("lines:1", {})
            .join()
            .receive("ok", () => resolve()),
        );
        await using _sink = await startSupervisor({
          strategy: "one_for_one",
          children: { late: child(late, { subscribeTo: [{ to: source, cancel: "temporary" }] }) },
        });
        await sleep(100);
        await new Promise<void>((resolve) => socket.disconnect(resolve));
        expect(latencies).toHaveLength(1);
        expect(latencies[0]).toBeGreaterThanOrEqual(500);
        expect(app.pid).toMatch(/supervisor/);
      },
      { seeds: 1 },
    );
  });

  it("hears the receipts of clients that send them, of some ten messages a second at most, and tells of each (C21)", async () => {
    await simulate(
      world({}, async ({ web, join }, { advance }) => {
        const receipts: unknown[] = [];
        using _receipts = attach("sluice.delivery.receipt", (receipt) => receipts.push(receipt));
        const [answering, silent] = [await join("lines:1", true), await join("lines:1")];
        for (let n = 1; n <= 40; n++) {
          await source.call.push([line(n)]);
          await advance(25);
        }
        expect(answering.seen).toHaveLength(40);
        expect(silent.seen).toHaveLength(40);
        const { toClient } = deliveryFigures(web);
        expect(toClient.count).toBeGreaterThanOrEqual(9);
        expect(toClient.count).toBeLessThanOrEqual(11);
        const latencyMs = expect.any(Number) as number;
        const receipt = { topic: "lines:1", event: "line", latencyMs };
        expect(receipts).toEqual(Array.from({ length: toClient.count }, () => receipt));
      }),
      { seeds: 5 },
    );
  });

  it("a receipt that nobody asked for, or for another topic, counts nothing", async () => {
    await simulate(
      world({}, async ({ web, join }, { quiet }) => {
        const client = await join("lines:2");
        await source.call.push([line(1)]);
        for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, "x", null])
          client.channel.push("~receipt", { id });
        await quiet();
        expect(deliveryFigures(web).toClient.count).toBe(0);
      }),
      { seeds: 1 },
    );
  });
});

describe("slow: wait", () => {
  it("a client that does not read holds the source up, until it reads on, and misses nothing", async () => {
    await simulate(
      world({ slow: "wait", maxWaitMs: 5_000 }, async ({ join, pending }, { advance }) => {
        const [quick, slow] = [await join("lines:1"), await join("lines:1")];
        slow.line().pause();
        let offered = 0;
        const total = 4_000;
        const feeding = (async () => {
          for (; offered < total; offered += 50) {
            const batch = Array.from({ length: 50 }, (_, index) => line(offered + index));
            await source.callWith({ timeoutMs: Infinity }).offerAll(batch);
          }
        })();
        await advance(1_000);
        // About 1 MiB for the client and what its line takes, a window of demand and a full buffer: then it stands still.
        const stood = offered;
        expect(stood).toBeLessThan(2_000);
        expect(pending()).toBe(100);
        await advance(1_000);
        expect(offered).toBe(stood);
        slow.line().resume();
        await feeding;
        await advance(100);
        expect(quick.seen).toEqual(Array.from({ length: total }, (_, n) => n));
        expect(slow.seen).toEqual(quick.seen);
      }),
      { seeds: 2 },
    );
  });

  it("after maxWaitMs the one that does not read is disconnected, 4008, and the others get everything", async () => {
    await simulate(
      world({ slow: "wait", maxWaitMs: 2_000 }, async ({ join }, { advance }) => {
        const codes: number[] = [];
        using _closed = attach("sluice.channels.closed", ({ code }) => codes.push(code));
        const [quick, slow] = [await join("lines:1"), await join("lines:1")];
        slow.line().pause();
        const total = 4_000;
        for (let sent = 0; sent < total; sent += 50) {
          const batch = Array.from({ length: 50 }, (_, index) => line(sent + index));
          await source.callWith({ timeoutMs: Infinity }).offerAll(batch);
        }
        await advance(100);
        expect(codes).toEqual([4008]);
        expect(quick.seen).toEqual(Array.from({ length: total }, (_, n) => n));
      }),
      { seeds: 2 },
    );
  });
});
