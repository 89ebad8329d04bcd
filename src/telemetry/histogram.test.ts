import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Histogram } from "./histogram.ts";

function filled(times: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const time of times) histogram.record(time);
  return histogram;
}

/** From 1 µs to an hour, as many in each octave. */
const time = fc.integer({ min: 0, max: 1e9 }).map((n) => 0.001 * 3.6e9 ** (n / 1e9));
const times = fc.array(time, { minLength: 1, maxLength: 300, size: "max" });
const percent = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.double({ min: 0, max: 100, noNaN: true }),
);

describe("Histogram", () => {
  it("tells percentiles that are within 1 % of those of the sorted times", () => {
    fc.assert(
      fc.property(times, percent, (times, p) => {
        const sorted = times.toSorted((one, other) => one - other);
        const exact = sorted[Math.max(1, Math.ceil((p * times.length) / 100)) - 1]!;
        const told = filled(times).percentile(p)!;
        expect(Math.abs(told - exact) / exact).toBeLessThanOrEqual(0.01);
      }),
      { numRuns: 2_000 },
    );
  });

  it("tells count, minimum, mean and maximum exactly", () => {
    fc.assert(
      fc.property(times, (times) => {
        const { count, minMs, meanMs, maxMs } = filled(times).snapshot();
        const sum = times.reduce((sum, time) => sum + time, 0);
        expect([count, minMs, meanMs, maxMs]).toEqual([
          times.length,
          Math.min(...times),
          sum / times.length,
          Math.max(...times),
        ]);
      }),
    );
  });

  it("tells percentiles that do not fall, between minimum and maximum", () => {
    fc.assert(
      fc.property(times, (times) => {
        const histogram = filled(times);
        let previous = histogram.min!;
        expect(histogram.percentile(0)).toBe(previous);
        for (let p = 1; p <= 100; p++) {
          const told = histogram.percentile(p)!;
          expect(told).toBeGreaterThanOrEqual(previous);
          previous = told;
        }
        expect(previous).toBe(histogram.max);
      }),
    );
  });

  it("merges into what one histogram of all times would be", () => {
    fc.assert(
      fc.property(times, times, (one, other) => {
        const merged = filled(one);
        const added = filled(other);
        const before = added.snapshot();
        merged.merge(added);
        const whole = filled([...one, ...other]);
        for (const p of [0, 1, 50, 99, 100]) expect(merged.percentile(p)).toBe(whole.percentile(p));
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
        expect(merged.mean).toBeCloseTo(whole.mean!, 6);
        expect(added.snapshot()).toEqual(before);
      }),
    );
  });

  it("records a time several times over", () => {
    const histogram = new Histogram();
    histogram.record(1, 98);
    histogram.record(500, 2);
    histogram.record(7, 0);
    expect([histogram.count, histogram.mean]).toEqual([100, 10.98]);
    expect(histogram.percentile(98)).toBeCloseTo(1, 1);
    expect(histogram.percentile(99)).toBe(500);
  });

  it("has no figures when empty, at first and after a reset", () => {
    const histogram = new Histogram();
    const empty = {
      count: 0,
      minMs: undefined,
      meanMs: undefined,
      p50Ms: undefined,
      p95Ms: undefined,
      p99Ms: undefined,
      maxMs: undefined,
    };
    expect(histogram.snapshot()).toEqual(empty);
    histogram.record(5);
    histogram.reset();
    expect(histogram.snapshot()).toEqual(empty);
    histogram.merge(new Histogram());
    expect(histogram.snapshot()).toEqual(empty);
    histogram.record(3);
    expect([histogram.min, histogram.percentile(50), histogram.max]).toEqual([3, 3, 3]);
  });

  it("stays sane outside of its range", () => {
    const histogram = filled([NaN, -1, 0, 1e-9, 0.0005, 1e7, 1e12]);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([6, 0, 1e12]);
    expect(histogram.percentile(50)).toBeLessThan(0.001);
    expect(histogram.percentile(80)).toBeGreaterThan(3_600_000);
  });
});
