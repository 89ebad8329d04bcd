import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IntervalSet } from "./interval-set.ts";

describe("IntervalSet", () => {
  it("holds what was added, in as few runs as there are, and knows where the first hole is (C106)", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(6))), (spans) => {
        const set = new IntervalSet();
        const plain = new Set<number>();
        for (const [first, more] of spans) {
          set.add(first, first + more);
          for (let n = first; n <= first + more; n++) plain.add(n);
        }
        for (let n = 0; n <= 50; n++) expect(set.has(n)).toBe(plain.has(n));
        let upTo = 0;
        while (plain.has(upTo + 1)) upTo++;
        expect(set.upTo).toBe(upTo);
        const { runs } = set;
        for (const [at, [first]] of runs.entries())
          if (at > 0) expect(first).toBeGreaterThan(runs[at - 1]![1] + 1);
      }),
    ));

  it("takes nothing from an empty span", () => {
    const set = new IntervalSet();
    set.add(3, 2);
    expect(set.runs).toEqual([]);
  });
});
