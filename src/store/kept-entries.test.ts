import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeptEntries } from "./kept-entries.ts";

const unbounded = { count: Infinity, bytes: Infinity, ageMs: Infinity };

const steps = fc.array(
  fc.record({ bytes: fc.integer({ min: 0, max: 40 }), passMs: fc.integer({ min: 0, max: 30 }) }),
  { maxLength: 60 },
);

describe("KeptEntries", () => {
  it("keeps the longest run of newest entries within all bounds, and counts on", () => {
    const bounds = fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      bytes: fc.integer({ min: 1, max: 100 }),
      ageMs: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(bounds, steps, (bounds, steps) => {
        const kept = new KeptEntries<number>(bounds);
        let model: { readonly entry: number; readonly bytes: number; readonly atMs: number }[] = [];
        let nowMs = 0;
        for (const [index, { bytes, passMs }] of steps.entries()) {
          nowMs += passMs;
          kept.expire(nowMs);
          kept.push(index + 1, bytes, nowMs);
          model = model.filter(({ atMs }) => nowMs - atMs < bounds.ageMs);
          model.push({ entry: index + 1, bytes, atMs: nowMs });
          const sum = (): number => model.reduce((total, each) => total + each.bytes, 0);
          while (model.length > bounds.count || sum() > bounds.bytes) model.shift();
          expect(kept.lastOffset).toBe(index + 1);
          expect(kept.oldestOffset).toBe(index + 2 - model.length);
          const entries = kept.from(kept.oldestOffset, Infinity);
          expect(entries).toEqual(model.map(({ entry }) => entry));
        }
      }),
    );
  });

  it("gives at most as many entries as asked, from an offset on", () => {
    const kept = new KeptEntries<string>({ ...unbounded, count: 3 });
    for (const entry of ["a", "b", "c", "d"]) kept.push(entry, 1, 0);
    expect([kept.oldestOffset, kept.lastOffset]).toEqual([2, 4]);
    expect(kept.from(2, 2)).toEqual(["b", "c"]);
    expect(kept.from(4, 2)).toEqual(["d"]);
    expect(kept.from(5, 2)).toEqual([]);
    expect(kept.from(2, 0)).toEqual([]);
  });

  it("keeps an entry until it is as old as the bound, and not longer", () => {
    const kept = new KeptEntries<string>({ ...unbounded, ageMs: 10 });
    kept.push("a", 1, 100);
    kept.expire(109.9);
    expect(kept.oldestOffset).toBe(1);
    kept.expire(110);
    expect([kept.oldestOffset, kept.lastOffset]).toEqual([2, 1]);
  });

  it("lets an entry go that alone is too large, and all before it", () => {
    const kept = new KeptEntries<string>({ ...unbounded, bytes: 10 });
    kept.push("a", 10, 0);
    kept.push("b", 11, 0);
    expect([kept.oldestOffset, kept.lastOffset]).toEqual([3, 2]);
    kept.push("c", 10, 0);
    expect(kept.from(3, 9)).toEqual(["c"]);
  });
});
