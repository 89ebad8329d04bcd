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

  it("lets only what is urgent overtake: the reply to a heartbeat (§1.11)", () => {
    const outbox = new Outbox(limits);
    outbox.push(frame("flood", "droppable"));
    outbox.push(frame("reply", "kept"));
    outbox.push(frame("heartbeat", "urgent"));
    outbox.push(frame("pong", "urgent"));
    expect(texts(outbox.take(1_000))).toEqual(["heartbeat", "pong", "flood", "reply"]);
  });

  it("counts the newest frame and what the socket holds against the limit", () => {
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

  it("holds its bound for a client that never reads, behind a reply that is never taken", () => {
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
