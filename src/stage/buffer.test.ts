import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Buffer } from "./buffer.ts";

const filled = (capacity: number, keep: "first" | "last", ...batches: unknown[][]): Buffer => {
  const buffer = new Buffer(capacity, keep);
  batches.forEach((batch, index) => buffer.push(batch, 0, index + 1));
  return buffer;
};

describe("Buffer", () => {
  it("BU7: taking from an empty one gives nothing", () => {
    expect(new Buffer(10, "last").take(5)).toBeUndefined();
  });

  it("BU8: gives the oldest first, and no more than there are", () => {
    const buffer = filled(10, "last", ["a", "b", "c"]);
    expect(buffer.take(2)).toEqual({ events: ["a", "b"], enteredMs: 1 });
    expect(buffer.take(5)).toEqual({ events: ["c"], enteredMs: 1 });
    expect(buffer.size).toBe(0);
  });

  it("gives a batch that came whole as it came, uncopied", () => {
    const batch = ["a", "b"];
    expect(filled(10, "last", batch, ["c"]).take(2)?.events).toBe(batch);
  });

  it("joins batches into one, with the stamp of the oldest", () => {
    const buffer = new Buffer(10, "last");
    buffer.push(["a"], 0, 7);
    buffer.push(["b"], 0, 3);
    buffer.push(["c", "d"], 0, 9);
    expect(buffer.take(3)).toEqual({ events: ["a", "b", "c"], enteredMs: 3 });
    expect(buffer.take(1)).toEqual({ events: ["d"], enteredMs: 9 });
  });

  it("takes only what stands from `start` on", () => {
    const buffer = new Buffer(10, "last");
    expect(buffer.push(["a", "b", "c"], 1, 0)).toBe(0);
    expect(buffer.take(9)?.events).toEqual(["b", "c"]);
  });

  it("G30, S25, BU2: keeping the first, it lets the new ones go", () => {
    const buffer = filled(5, "first", ["a", "b", "c", "d", "e"]);
    expect(buffer.push(["f", "g", "h"], 0, 0)).toBe(3);
    expect(buffer.take(9)?.events).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("G30, S26, BU4: keeping the last, it lets the oldest go", () => {
    const buffer = filled(5, "last", ["a", "b", "c", "d", "e"]);
    expect(buffer.push(["f", "g", "h"], 0, 0)).toBe(3);
    expect(buffer.take(9)?.events).toEqual(["d", "e", "f", "g", "h"]);
  });

  it("keeping the last, it keeps the end of a batch that is larger than it", () => {
    const buffer = filled(2, "last", ["a"]);
    expect(buffer.push(["b", "c", "d"], 0, 0)).toBe(2);
    expect(buffer.take(9)?.events).toEqual(["c", "d"]);
  });

  it("G10: of size 0 it keeps nothing, and says so", () => {
    expect(new Buffer(0, "last").push(["a", "b"], 0, 0)).toBe(2);
    expect(new Buffer(0, "first").push(["a", "b"], 0, 0)).toBe(2);
  });

  it("BU3: without a limit it lets nothing go", () => {
    const buffer = new Buffer(Infinity, "first");
    for (let n = 0; n < 1_000; n++) expect(buffer.push([n, n], 0, 0)).toBe(0);
    expect(buffer.size).toBe(2_000);
  });

  it("E17: takes and joins batches of any length without growing the stack", () => {
    const long = Array.from({ length: 200_000 }, (_, n) => n);
    const buffer = filled(Infinity, "last", long, long);
    expect(buffer.take(400_000)?.events).toHaveLength(400_000);
  });

  it("takes back to the front what could not be used", () => {
    const buffer = filled(10, "last", ["a", "b", "c"], ["d"]);
    const { events, enteredMs } = buffer.take(4)!;
    buffer.putBack(events, 1, enteredMs);
    expect([buffer.size, buffer.passed]).toEqual([3, 1]);
    expect(buffer.take(9)).toEqual({ events: ["b", "c", "d"], enteredMs: 1 });
  });
});

/** What may be done with a buffer. */
const step = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 6 }), skip: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ take: fc.integer({ min: 1, max: 8 }), back: fc.integer({ min: 0, max: 4 }) }),
);

describe("Buffer against a plain list", () => {
  it("holds the same events in the same order, lets go as many, and knows where in the flow it stands", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 }),
        fc.constantFrom("first" as const, "last" as const),
        fc.array(step, { maxLength: 40 }),
        (capacity, keep, steps) => {
          const buffer = new Buffer(capacity, keep);
          let model: { readonly id: number; readonly enteredMs: number }[] = [];
          let last = 0;
          let left = 0;
          for (const [enteredMs, one] of steps.entries()) {
            if ("push" in one) {
              const ids = Array.from({ length: one.push }, () => ++last);
              const start = Math.min(one.skip, ids.length);
              const all = [...model, ...ids.slice(start).map((id) => ({ id, enteredMs }))];
              model = keep === "first" ? all.slice(0, capacity) : all.slice(-capacity || Infinity);
              const lost = all.length - model.length;
              expect(buffer.push(ids, start, enteredMs)).toBe(lost);
              if (keep === "last") left += lost;
            } else {
              const expected = model.splice(0, one.take);
              const taken = buffer.take(one.take);
              expect(taken?.events ?? []).toEqual(expected.map(({ id }) => id));
              expect(taken?.enteredMs ?? Infinity).toBe(
                Math.min(...expected.map(({ enteredMs }) => enteredMs)),
              );
              const used = Math.max(expected.length - one.back, 0);
              if (taken !== undefined && used < expected.length)
                buffer.putBack(taken.events, used, taken.enteredMs);
              model = [
                ...expected.slice(used).map(({ id }) => ({ id, enteredMs: taken!.enteredMs })),
                ...model,
              ];
              left += used;
            }
            expect([buffer.size, buffer.passed]).toEqual([model.length, left]);
          }
        },
      ),
    );
  });
});
