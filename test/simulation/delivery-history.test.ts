// A sink to a topic with history: its log decides when a batch is done, and what is measured stays true.
import { Socket } from "phoenix";
import { describe, expect, it } from "vitest";
import { Producer, child, name, sleep, startSupervisor } from "sluice";
import { endpoint, type HistoryEntry } from "sluice/channels";
import { deliveryFigures, sink, type SinkOptions } from "sluice/delivery";
import { MemoryLog, type Position } from "sluice/store";
import { attach } from "sluice/telemetry";
import { memoryTransport, simulate } from "sluice/testing";

interface Topics {
  lines: { out: { line: { readonly n: number } }; history: true };
}
class Lines extends Producer<number> {
  say(lines: readonly number[]): Promise<void> {
    return this.offer(lines);
  }
}
const source = name<Lines>("lines");

/** A log that takes its time, and may refuse. */
class SlowLog extends MemoryLog<HistoryEntry> {
  /** Appends under way, at most. */
  most = 0;
  underWay = 0;
  refuses = false;
  override async append(topic: string, entries: readonly HistoryEntry[]): Promise<Position> {
    this.most = Math.max(this.most, ++this.underWay);
    await sleep(10);
    this.underWay--;
    if (this.refuses) throw new Error("the disk is full");
    return super.append(topic, entries);
  }
}

function world(
  options: SinkOptions,
  body: (
    log: SlowLog,
    web: ReturnType<typeof endpoint<Topics>>,
    heard: number[],
    advance: (ms: number) => Promise<void>,
  ) => Promise<void>,
): Promise<unknown> {
  return simulate(
    async ({ advance }) => {
      using _quiet = attach("sluice.log", () => {});
      const web = endpoint<Topics>("web");
      const log = new SlowLog();
      const lines = web.channel("lines", { join: () => ({ assigns: {} }), history: {} });
      const toClients = sink(
        web,
        (n: number) => {
          if (n < 0) throw new RangeError("it has no line");
          return { topic: "lines", event: "line", payload: { n } } as const;
        },
        options,
      );
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          history: web.history({ log: () => log }),
          web: web.child({
            port: 4000,
            sockets: { "/socket": { connect: () => ({}), channels: [lines] } },
          }),
          lines: child(Lines, { name: source, bufferSize: 10 }),
          sink: child(toClients, { subscribeTo: [{ to: source, maxDemand: 100 }] }),
        },
      });
      const socket = new Socket("ws://localhost:4000/socket", {
        transport: memoryTransport() as unknown as typeof WebSocket,
      });
      const heard: number[] = [];
      const channel = socket.channel("lines", {});
      channel.on("line", ({ n }: { readonly n: number }) => void heard.push(n));
      channel.join();
      socket.connect();
      await advance(50);
      await body(log, web, heard, advance);
      await new Promise<void>((resolve) => socket.disconnect(resolve));
    },
    { seeds: 3 },
  );
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

describe("a sink to a topic with history", () => {
  it("has a batch with the log at once, in order, and is done with it when the log has all", () =>
    world({}, async (log, web, heard, advance) => {
      const offered = source.callWith({ timeoutMs: Infinity }).say(upTo(300));
      await offered;
      await advance(100);
      expect(heard).toEqual(upTo(300));
      // Half of its window is a batch: it asks for more when the log has the one before.
      expect(log.most).toBeGreaterThanOrEqual(50);
      expect(log.most).toBeLessThanOrEqual(100);
      const { messages, delivered, unheard, dropped, toSocket } = deliveryFigures(web);
      expect([messages, delivered, unheard, dropped, toSocket.count]).toEqual([
        300, 300, 0, 0, 300,
      ]);
      expect(toSocket.minMs).toBeGreaterThanOrEqual(10);
    }));

  it("that waits for clients waits for each event: for the log, and for the node's own tail", () =>
    world({ slow: "wait" }, async (log, web, heard, advance) => {
      await source.callWith({ timeoutMs: Infinity }).say(upTo(20));
      await advance(1_000);
      expect(heard).toEqual(upTo(20));
      expect(log.most).toBe(1);
      expect(deliveryFigures(web).delivered).toBe(20);
    }));

  it("crashes over what its route makes nothing of; what of the batch is with the log by then fails for nobody else", () =>
    world({}, async (log, web, heard, advance) => {
      const crashed: string[] = [];
      using _exited = attach("sluice.process.exited", ({ label, reason }) => {
        if (JSON.stringify(reason)?.includes("crash") === true) crashed.push(label);
      });
      log.refuses = true;
      await source.callWith({ timeoutMs: Infinity }).say([1, 2, -1]);
      await advance(100);
      expect(crashed).toHaveLength(1);
      log.refuses = false;
      await source.callWith({ timeoutMs: Infinity }).say([4]);
      await advance(100);
      expect(heard).toEqual([4]);
    }));

  it("crashes over what the log does not take, and goes on when it is started again", () =>
    world({}, async (log, web, heard, advance) => {
      const crashed: string[] = [];
      using _exited = attach("sluice.process.exited", ({ label, reason }) => {
        if (JSON.stringify(reason)?.includes("crash") === true) crashed.push(label);
      });
      log.refuses = true;
      await source.callWith({ timeoutMs: Infinity }).say([1]);
      await advance(100);
      expect(crashed).toHaveLength(1);
      log.refuses = false;
      await source.callWith({ timeoutMs: Infinity }).say([2]);
      await advance(100);
      expect(heard).toEqual([2]);
      expect(deliveryFigures(web).delivered).toBe(1);
    }));
});
