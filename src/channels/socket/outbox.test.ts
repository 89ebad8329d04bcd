import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FrameKind, Outbox, Outgoing } from "./outbox.ts";

const limits = { maxPendingBytes: 100, lowMarkBytes: 25 };
const frame = (text: string, kind: FrameKind = "kept", key = ""): Outgoing =>
  new Outgoing(Buffer.from(text), kind, key);
const texts = (frames: readonly Outgoing[]): string[] => frames.map(({ bytes }) => String(bytes));

describe("Outbox", () => {
  it("hands out references, in order, for one write", () => {
    const outbox = new Outbox(limits);
    const shared = frame("broadcast", "droppable");
    outbox.push(shared);
    outbox.push(frame("reply", "kept"));
    const taken = outbox.take(1_000);
    expect(texts(taken)).toEqual(["broadcast", "reply"]);
    expect(taken[0]).toBe(shared);
    expect(outbox.pendingBytes).toBe(0);
    expect(outbox.take(1_000)).toEqual([]);
  });

  it("takes what fits, and one frame where even that is too much", () => {
    const outbox = new Outbox(limits);
    for (const text of ["aaaa", "bb", "cc", "d"]) outbox.push(frame(text, "kept"));
    expect(texts(outbox.take(6))).toEqual(["aaaa", "bb"]);
    expect(texts(outbox.take(1))).toEqual(["cc"]);
    expect(outbox.pendingBytes).toBe(1);
  });

  it("lets only what is urgent overtake: the reply to a heartbeat", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("flood", "droppable"));
    outbox.push(frame("reply", "kept"));
    outbox.push(frame("heartbeat", "urgent"));
    outbox.push(frame("pong", "urgent"));
    expect(texts(outbox.take(1_000))).toEqual(["heartbeat", "pong", "flood", "reply"]);
  });

  it("counts the newest frame and what the socket holds against the limit (R66)", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("x".repeat(60), "kept"));
    expect(outbox.isOver(40)).toBe(false);
    expect(outbox.isOver(41)).toBe(true);
    outbox.push(frame("x".repeat(41), "kept"));
    expect(outbox.isOver(0)).toBe(true);
  });

  it("is caught up below the low mark", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("x".repeat(20), "kept"));
    expect(outbox.isLow(4)).toBe(true);
    expect(outbox.isLow(5)).toBe(false);
  });

  it("drops the oldest broadcasts, as few as needed, and counts them", () => {
    const outbox = new Outbox(limits);
    for (const name of ["1", "2", "3", "4"]) outbox.push(frame(name.repeat(30), "droppable"));
    expect(outbox.relieve(0)).toBe(true);
    expect(outbox.dropped).toBe(1);
    expect(texts(outbox.take(1_000)).map((text) => text[0])).toEqual(["2", "3", "4"]);
  });

  it("never drops replies or control frames, and says when they alone are too much", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("r".repeat(60), "kept"));
    outbox.push(frame("b".repeat(60), "droppable"));
    outbox.push(frame("h".repeat(50), "urgent"));
    expect(outbox.relieve(0)).toBe(false);
    expect(texts(outbox.take(1_000)).map((text) => text[0])).toEqual(["h", "r"]);
    expect(outbox.dropped).toBe(1);
  });

  it("holds its bound for a client that never reads, behind a reply that is never taken (R66)", () => {
    const outbox = new Outbox({ maxPendingBytes: 10_000, lowMarkBytes: 1 });
    outbox.push(frame("r", "kept"));
    const broadcast = frame("x".repeat(99), "droppable");
    for (let n = 0; n < 100_000; n++) {
      outbox.push(broadcast);
      outbox.relieve(0);
    }
    expect(outbox.pendingBytes).toBe(1 + 101 * 99);
    expect(outbox.dropped).toBe(100_000 - 101);
    expect(outbox.take(1_000_000)).toHaveLength(102);
  });

  it("keeps no trace of what it dropped", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("r", "kept"));
    const broadcast = frame("x".repeat(90), "droppable");
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 10_000_000; n++) {
      outbox.push(broadcast);
      outbox.relieve(0);
    }
    // One word for each frame dropped would be 80 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000);
  });

  it("keeps the newest of each key once it is over, and until all is written", () => {
    const outbox = new Outbox(limits);
    const latest = (n: number, key: string): Outgoing =>
      frame(`${key}${n}`.padEnd(30, "."), "latest", key);
    outbox.push(frame("reply", "kept"));
    for (const n of [1, 2]) for (const key of ["a", "b"]) outbox.push(latest(n, key));
    expect(outbox.relieve(0)).toBe(true);
    expect(outbox.dropped).toBe(2);
    outbox.push(latest(3, "b"));
    expect(outbox.dropped).toBe(3);
    const name = (text: string): string => text.replaceAll(".", "");
    expect(texts(outbox.take(36)).map(name)).toEqual(["reply", "a2"]);
    // What was written is no longer there to be replaced.
    outbox.push(latest(3, "a"));
    expect(texts(outbox.take(1_000)).map(name)).toEqual(["b3", "a3"]);
    for (const n of [4, 5]) outbox.push(latest(n, "a"));
    expect(texts(outbox.take(1_000)).map(name)).toEqual(["a4", "a5"]);
  });

  it("cannot help where every key is another", () => {
    const outbox = new Outbox(limits);
    for (let n = 0; n < 4; n++) outbox.push(frame("x".repeat(30), "latest", String(n)));
    expect(outbox.relieve(0)).toBe(false);
  });

  it("holds its bound for a client that never reads, where the newest of a key counts", () => {
    const outbox = new Outbox({ maxPendingBytes: 10_000, lowMarkBytes: 1 });
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 200_000; n++) {
      outbox.push(frame("x".repeat(100), "latest", String(n % 50)));
      if (outbox.isOver(0)) outbox.relieve(0);
    }
    expect(outbox.pendingBytes).toBe(5_000);
    expect(outbox.take(1_000_000)).toHaveLength(50);
    // A kilobyte for each frame that was dropped would be 200 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });

  it("tells once what became of each frame: dropped, given up for a newer one, or thrown away", () => {
    const told: string[] = [];
    const watched = (name: string, kind: FrameKind): Outgoing =>
      new Outgoing(Buffer.alloc(40), kind, "key", {
        settled: (written) => told.push(`${name} ${written}`),
      });
    const outbox = new Outbox(limits);
    outbox.push(watched("old", "latest"));
    outbox.push(watched("new", "latest"));
    outbox.push(watched("droppable", "droppable"));
    outbox.push(watched("kept", "kept"));
    expect(outbox.relieve(0)).toBe(true);
    expect(told).toEqual(["old false", "droppable false"]);
    outbox.push(watched("urgent", "urgent"));
    outbox.clear();
    expect(told.slice(2)).toEqual(["urgent false", "new false", "kept false"]);
    expect(outbox.pendingBytes).toBe(0);
    expect(outbox.take(1_000)).toEqual([]);
  });

  it("behaves as a list of frames does, whatever is pushed, dropped and taken", () => {
    type Entry = { readonly text: string; readonly kind: FrameKind };
    const push = fc.record({
      kind: fc.constantFrom<FrameKind>("kept", "droppable", "droppable", "droppable", "urgent"),
      bytes: fc.integer({ min: 1, max: 40 }),
      times: fc.integer({ min: 1, max: 60 }),
    });
    const step = fc.oneof(
      push,
      fc.record({ socketBytes: fc.nat(120) }),
      fc.record({ maxBytes: fc.integer({ min: 1, max: 400 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = new Outbox(limits);
        let model: Entry[] = [];
        let dropped = 0;
        let next = 0;
        const bytes = (entries: readonly Entry[]): number =>
          entries.reduce((sum, { text }) => sum + text.length, 0);
        for (const step of steps) {
          if ("kind" in step) {
            for (let time = 0; time < step.times; time++) {
              const text = String(next++).padStart(step.bytes, "0");
              const at =
                step.kind === "urgent"
                  ? model.filter(({ kind }) => kind === "urgent").length
                  : model.length;
              model.splice(at, 0, { text, kind: step.kind });
              outbox.push(frame(text, step.kind));
            }
          } else if ("socketBytes" in step) {
            for (;;) {
              const oldest = model.findIndex(({ kind }) => kind === "droppable");
              if (bytes(model) + step.socketBytes <= limits.maxPendingBytes || oldest < 0) break;
              model.splice(oldest, 1);
              dropped++;
            }
            expect(outbox.relieve(step.socketBytes)).toBe(
              bytes(model) + step.socketBytes <= limits.maxPendingBytes,
            );
          } else {
            const urgent = model.filter(({ kind }) => kind === "urgent").length;
            let count = Math.max(urgent, Math.min(1, model.length));
            while (count < model.length && bytes(model.slice(0, count + 1)) <= step.maxBytes)
              count++;
            expect(texts(outbox.take(step.maxBytes))).toEqual(
              model.slice(0, count).map(({ text }) => text),
            );
            model = model.slice(count);
          }
          expect(outbox.pendingBytes).toBe(bytes(model));
          expect(outbox.dropped).toBe(dropped);
        }
      }),
      { numRuns: 500 },
    );
  });
});
