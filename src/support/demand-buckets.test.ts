import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DemandBuckets, type DemandEntry } from "./demand-buckets.ts";

class Entry implements DemandEntry<Entry> {
  readonly id: number;
  demand = 0;
  bucketNext: Entry | undefined = undefined;
  bucketPrevious: Entry | undefined = undefined;
  constructor(id: number) {
    this.id = id;
  }
}

const capped = (entry: Entry): number => Math.min(entry.demand, 32_767);

/** A list that is sorted on each insertion, as GenStage keeps it: behind the entries of equal demand. */
function insert(model: Entry[], entry: Entry): void {
  const index = model.findIndex((other) => capped(other) < capped(entry));
  model.splice(index === -1 ? model.length : index, 0, entry);
}

const demand = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 1_100 }),
  fc.constantFrom(31, 32, 1_023, 1_024, 32_766, 32_767, 32_768, 1e9),
);

describe("DemandBuckets", () => {
  it("names the highest demand first, the longest waiting among equals, as a sorted list does", () => {
    const steps = fc.array(
      fc.record({ id: fc.nat(15), what: fc.constantFrom("move", "remove", "serve"), demand }),
      { maxLength: 120, size: "max" },
    );
    fc.assert(
      fc.property(steps, (steps) => {
        const buckets = new DemandBuckets<Entry>();
        const entries = Array.from({ length: 16 }, (_, id) => new Entry(id));
        const model: Entry[] = [];
        for (const step of steps) {
          const entry = step.what === "serve" ? model[0] : entries[step.id];
          if (entry === undefined) continue;
          const index = model.indexOf(entry);
          if (index !== -1) model.splice(index, 1);
          if (step.what === "move") {
            buckets.move(entry, step.demand);
            insert(model, entry);
          } else expect(buckets.remove(entry)).toBe(index !== -1);
          expect(buckets.highest()).toBe(model[0]);
        }
        const drained: number[] = [];
        for (let entry = buckets.highest(); entry !== undefined; entry = buckets.highest()) {
          drained.push(entry.id);
          buckets.remove(entry);
        }
        expect(drained).toEqual(model.map((entry) => entry.id));
        expect(
          entries.every(
            (entry) => entry.bucketNext === undefined && entry.bucketPrevious === undefined,
          ),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("serves equal demands in turn", () => {
    const buckets = new DemandBuckets<Entry>();
    for (const id of [1, 2, 3]) buckets.move(new Entry(id), 1);
    const served: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const entry = buckets.highest();
      if (entry === undefined) break;
      served.push(entry.id);
      buckets.remove(entry);
      buckets.add(entry);
    }
    expect(served).toEqual([1, 2, 3, 1, 2, 3]);
  });
});
