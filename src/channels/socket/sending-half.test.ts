// What becomes of a client that keeps up, and of one that does not: a line whose other end the test is.
import { describe, expect, it } from "vitest";
import { currentSystem } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { SendingHalf } from "./sending-half.ts";
import { Flusher } from "../fan-out/flusher.ts";
import type { CloseCode } from "../wire/frame.ts";
import { limitsOf } from "../limits.ts";
import { Outgoing, type FrameKind } from "./outbox.ts";
import type { Transport } from "../transport/transport.ts";
import { v2 } from "../wire/v2-serializer.ts";

const capacity = 100;

/** A line that takes 100 bytes, until they are read. */
class Line implements Transport {
  pendingBytes = 0;
  readonly writes: string[] = [];
  closes: CloseCode[] = [];
  send(frames: Buffer): boolean {
    this.writes.push(String(frames));
    this.pendingBytes += frames.length;
    return this.pendingBytes < capacity;
  }
  close(code: CloseCode): void {
    this.closes.push(code);
  }
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

interface World extends Simulation {
  readonly line: Line;
  readonly client: SendingHalf;
  readonly flusher: Flusher;
  /** The client reads all that is on the line. */
  readonly read: () => void;
  readonly closings: () => number;
}

const limits = limitsOf({ maxPendingBytes: 300, lowMarkBytes: 50 });
const frame = (text: string, kind: FrameKind = "kept", key = ""): Outgoing =>
  new Outgoing(Buffer.from(text.padEnd(20, ".")), kind, key);

function world(body: (world: World) => Promise<void> | void): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const system = currentSystem();
      const line = new Line();
      let closings = 0;
      const flusher = new Flusher(system.runtime);
      const owner = { closing: () => void closings++ };
      const client = new SendingHalf({ system, flusher, limits }, line, owner, v2);
      const read = (): void => {
        const blocked = line.pendingBytes >= capacity;
        line.pendingBytes = 0;
        if (blocked) client.writable();
      };
      await body({ ...simulation, line, client, flusher, read, closings: () => closings });
      client.dispose();
    },
    { seeds: 1 },
  );
}

describe("SendingHalf", () => {
  it("is closed, and its sender told, when its line throws; the log says why", () =>
    world(async ({ client, line, closings, quiet }) => {
      const told: unknown[] = [];
      using _told = attach("sluice.log", ({ details }) => told.push(details));
      const settled: boolean[] = [];
      const why = new Error("the line's own");
      line.send = () => {
        throw why;
      };
      const watch = { settled: (written: boolean) => void settled.push(written) };
      client.send(new Outgoing(Buffer.from("one"), "kept", "", watch));
      await quiet();
      expect([line.closes, closings(), settled, told]).toEqual([[1011], 1, [false], [why]]);
      expect(client.isClosed).toBe(true);
    }));

  it("writes once per turn, all that was said in it, in order; what is urgent first", () =>
    world(async ({ client, line, quiet }) => {
      for (const text of ["one", "two"]) client.send(frame(text));
      client.send(frame("beat", "urgent"));
      expect(line.writes).toEqual([]);
      await quiet();
      expect(line.writes).toEqual(["beat................one.................two................."]);
    }));

  it("stops at a full line, and goes on when it is read", () =>
    world(async ({ client, line, read, quiet }) => {
      for (let n = 0; n < 4; n++) client.send(frame("x".repeat(60)));
      await quiet();
      expect(line.writes).toHaveLength(2);
      client.send(frame("later"));
      await quiet();
      expect(line.writes).toHaveLength(2);
      read();
      await quiet();
      expect(line.writes.slice(2).join("")).toBe("x".repeat(120));
      read();
      await quiet();
      expect(line.writes.at(-1)).toBe("later...............");
    }));

  it("is over its limit only by what the line does not take", () =>
    world(({ client, line }) => {
      // Two writes of 60 fill the line; what they hold is part of what waits.
      for (let n = 0; n < 15; n++) client.send(frame(`${n}`));
      expect([line.writes.length, line.closes]).toEqual([0, []]);
      client.send(frame("fills the line"));
      expect([line.writes.length, line.closes]).toEqual([2, [4008]]);
    }));

  it("is closed 4008 once, and hears no more", () =>
    world(async ({ client, line, closings, quiet }) => {
      const settled: boolean[] = [];
      const watch = { settled: (written: boolean) => settled.push(written) };
      for (let n = 0; n < 40; n++) client.send(new Outgoing(Buffer.alloc(20), "kept", "", watch));
      await quiet();
      expect([line.closes, closings(), client.isClosed]).toEqual([[4008], 1, true]);
      expect(settled).toHaveLength(40);
      expect(settled.filter(Boolean)).toHaveLength(line.writes.join("").length / 20);
    }));

  it("gives up broadcasts before it is closed, also when a reply is one too many", () =>
    world(({ client, line }) => {
      for (let n = 0; n < 40; n++) client.send(frame(`${n}`, "droppable"));
      client.send(frame("reply"));
      expect(line.closes).toEqual([]);
      expect(client.pendingBytes).toBeLessThanOrEqual(300);
    }));

  it("writes what waits before it says goodbye, as far as the line takes it", () =>
    world(({ client, line }) => {
      client.send(frame("last words"));
      client.close(1012, "");
      expect([line.writes, line.closes]).toEqual([["last words.........."], [1012]]);
      client.close(1001, "");
      client.send(frame("too late"));
      expect([line.writes.length, line.closes.length]).toEqual([1, 1]);
    }));
});

describe("a client that is waited for", () => {
  const say = (client: SendingHalf, maxWaitMs = 1_000): Promise<void> | undefined =>
    client.sendWaiting(frame("x"), maxWaitMs);
  const fill = (client: SendingHalf): Promise<void> => {
    for (;;) {
      const wait = say(client);
      if (wait !== undefined) return wait;
    }
  };

  it("holds its sender up from its limit down to its low mark", () =>
    world(async ({ client, line, read, quiet, advance }) => {
      let isOver = false;
      void fill(client).then(() => (isOver = true));
      expect(client.pendingBytes).toBe(320);
      for (let reads = 0; reads < 2; reads++) {
        await advance(100);
        expect(isOver).toBe(false);
        // Below the limit, above the low mark: whoever sends now waits as well.
        if (reads === 1) expect(say(client)).toBeInstanceOf(Promise);
        read();
        await quiet();
      }
      await advance(100);
      read();
      await quiet();
      expect([isOver, line.closes]).toEqual([true, []]);
      expect(say(client)).toBeUndefined();
    }));

  it("is disconnected when its time is up, which began with the limit, whoever waits", () =>
    world(async ({ client, line, advance }) => {
      let waiting = 2;
      void fill(client).then(() => waiting--);
      await advance(400);
      void say(client, 600)?.then(() => waiting--);
      await advance(199);
      expect([line.closes, waiting]).toEqual([[], 2]);
      await advance(2);
      expect([line.closes, waiting]).toEqual([[4008], 0]);
      expect(say(client)).toBeUndefined();
    }));

  it("bears replies over its limit, but not without end", () =>
    world(({ client, line }) => {
      void fill(client);
      for (let n = 0; n < 8; n++) client.send(frame("reply"));
      expect(line.closes).toEqual([]);
      for (let n = 0; n < 8; n++) client.send(frame("reply"));
      expect(line.closes).toEqual([4008]);
    }));
});

describe("SendingHalf with frames that cannot be joined", () => {
  it("closes the line: what its client has missed it cannot be told any more", () =>
    world(async ({ line, client, quiet }) => {
      // Whoever hears of it may speak at once.
      using _told = attach("sluice.log", () => client.sendLast(frame("told")));
      const settled: boolean[] = [];
      const watch = { settled: (written: boolean) => void settled.push(written) };
      const gone = Buffer.from(new ArrayBuffer(4));
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      client.send(frame("one"));
      client.send(new Outgoing(gone, "kept", "", watch));
      await quiet();
      client.sendLast(frame("two"));
      await quiet();
      expect([line.writes, line.closes, settled]).toEqual([[], [1011], [false]]);
    }));
});

describe("SendingHalf whose line throws once", () => {
  it("writes nothing more, though whoever hears of it speaks at once", () =>
    world(async ({ line, client, quiet }) => {
      const send = line.send.bind(line);
      line.send = () => {
        line.send = send;
        throw new Error("the line's own");
      };
      using _told = attach("sluice.log", () => client.sendLast(frame("told")));
      client.sendLast(frame("lost"));
      await quiet();
      expect([line.writes, line.closes]).toEqual([[], [1011]]);
    }));
});

describe("SendingHalf of a client that asks", () => {
  it("writes the last answer at once, and what it is not alone with at the end of the turn, in order", () =>
    world(async ({ line, client, quiet }) => {
      client.sendLast(new Outgoing("one", "kept"));
      expect(line.writes).toEqual(["one"]);
      client.send(new Outgoing("two", "kept"));
      client.sendLast(new Outgoing(Buffer.from("three"), "kept"));
      client.send(new Outgoing("four", "urgent"));
      expect(line.writes).toEqual(["one"]);
      await quiet();
      expect(line.writes).toEqual(["one", "fourtwothree"]);
    }));

  it("writes it behind what did not fit into a write, though it is asked for as soon as that is told", () =>
    world(async ({ line, client, quiet, read }) => {
      const settled = (): void => client.sendLast(frame("answer"));
      client.send(new Outgoing(Buffer.alloc(20, "1"), "kept", "", { settled }));
      for (const n of ["2", "3", "4"]) client.send(new Outgoing(Buffer.alloc(20, n), "kept"));
      await quiet();
      read();
      await quiet();
      const said = ["1", "2", "3", "4"].map((n) => n.repeat(20)).join("");
      expect(line.writes.join("")).toBe(`${said}answer..............`);
    }));

  it("writes it behind broadcasts of which it has not been told, which are not over yet", () =>
    world(async ({ line, client, flusher, quiet }) => {
      let handed = false;
      const catchUp = (): void => {
        if (!handed) client.take(frame("said"));
        handed = true;
      };
      flusher.open({ end: 1, handOut: catchUp, catchUp });
      client.sendLast(frame("answer"));
      expect(line.writes).toEqual([]);
      await quiet();
      expect(line.writes).toEqual(["said................answer.............."]);
    }));
});

describe("Flusher", () => {
  it("writes 2,000 sockets, then lets others have their turn", () =>
    simulate(
      async ({ quiet }) => {
        const { runtime } = currentSystem();
        const flusher = new Flusher(runtime);
        const perTurn: number[] = [];
        let flushed = 0;
        const sockets = Array.from({ length: 5_000 }, () => ({
          marked: false,
          flush: () => flushed++ < 0,
        }));
        for (const socket of sockets) {
          flusher.mark(socket);
          flusher.mark(socket);
        }
        for (let turn = 0; turn < 3; turn++) {
          await new Promise<void>((resolve) => runtime.turn(resolve));
          perTurn.push(flushed);
        }
        await quiet();
        expect(perTurn).toEqual([2_000, 4_000, 5_000]);
        expect(flushed).toBe(5_000);
      },
      { seeds: 1 },
    ));

  it("writes those at once for whom nothing waits as it hands out, among the same 2,000; all others in order", () =>
    simulate(
      async () => {
        const system = currentSystem();
        const { runtime } = system;
        const flusher = new Flusher(runtime);
        const closings: number[] = [];
        const members = Array.from({ length: 4_500 }, (_, at) => {
          const line = new Line();
          const owner = { closing: () => void closings.push(at) };
          return { line, client: new SendingHalf({ system, flusher, limits }, line, owner, v2) };
        });
        const settled: boolean[] = [];
        const watch = { settled: (written: boolean) => void settled.push(written) };
        const said = new Outgoing(Buffer.from("said"), "kept", "", watch);
        for (const { client } of members.slice(0, 500)) client.send(frame("before"));
        const [idle, broken] = [members[500]!, members[501]!];
        broken.line.send = () => {
          throw new Error("the line's own");
        };
        using _quiet = attach("sluice.log", () => {});
        const atOnce: string[][] = [];
        flusher.open({
          end: 1,
          handOut() {
            for (const { client } of members) client.takeLast(said);
            atOnce.push(idle.line.writes);
            idle.client.takeLast(frame("behind"));
          },
          catchUp() {},
        });
        const writes = (): number => members.filter(({ line }) => line.writes.length > 0).length;
        const perTurn: number[] = [];
        for (let turn = 0; turn < 3; turn++) {
          await new Promise<void>((resolve) => runtime.turn(resolve));
          perTurn.push(writes());
        }
        // One of them was broken.
        expect(perTurn).toEqual([1_999, 3_999, 4_499]);
        expect(atOnce).toEqual([["said", "behind.............."]]);
        expect(members[0]!.line.writes).toEqual(["before..............said"]);
        expect(closings).toEqual([501]);
        expect(settled.filter((written) => !written)).toHaveLength(1);
        expect(settled).toHaveLength(members.length);
      },
      { seeds: 1 },
    ));
});
