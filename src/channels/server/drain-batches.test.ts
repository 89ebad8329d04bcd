import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesOf, drainOf } from "./drain-batches.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe("batchesOf (L62)", () => {
  it("makes batches of the size that is asked for", () => {
    const sizes = batchesOf(range(250), drainOf()).map(({ length }) => length);
    expect(sizes).toEqual([100, 100, 50]);
    expect(batchesOf([], drainOf())).toEqual([]);
  });

  it("makes them larger where the time would not do, and never misses or doubles a client", () => {
    const from1 = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(fc.nat(2_000), from1, from1, from1, (count, batchSize, intervalMs, withinMs) => {
        const batches = batchesOf(range(count), drainOf({ batchSize, intervalMs, withinMs }));
        expect(batches.flat()).toEqual(range(count));
        expect((batches.length - 1) * intervalMs).toBeLessThanOrEqual(withinMs);
      }),
    );
  });

  it("refuses what is no whole number from 1 on, by name (C2)", () => {
    for (const name of ["batchSize", "intervalMs", "withinMs"])
      for (const bad of [0, -1, 1.5, Infinity])
        expect(() => drainOf({ [name]: bad })).toThrow(`drain.${name}`);
  });
});
