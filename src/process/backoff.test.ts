import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { Waits, checkBackoff } from "./backoff.ts";

const none = (): number => 0;
const many = (waits: Waits, count: number): number[] =>
  Array.from({ length: count }, () => waits.next(none));

describe("the waits of a back-off", () => {
  it("are one number, or grow by the factor up to the longest", () => {
    expect(many(new Waits(50), 3)).toEqual([50, 50, 50]);
    expect(many(new Waits({ firstMs: 10, maxMs: 100 }), 6)).toEqual([10, 20, 40, 80, 100, 100]);
    expect(many(new Waits({ firstMs: 1, maxMs: 30, factor: 3 }), 5)).toEqual([1, 3, 9, 27, 30]);
  });

  it("begin again after a life of resetAfterMs, by default maxMs", () => {
    const waits = new Waits({ firstMs: 10, maxMs: 100 });
    expect(many(waits, 3)).toEqual([10, 20, 40]);
    waits.wasUp(99);
    expect(many(waits, 1)).toEqual([80]);
    waits.wasUp(100);
    expect(many(waits, 1)).toEqual([10]);
    const patient = new Waits({ firstMs: 10, maxMs: 100, resetAfterMs: 5_000 });
    many(patient, 1);
    patient.wasUp(4_999);
    expect(many(patient, 1)).toEqual([20]);
  });

  it("stay within firstMs less its share of chance and maxMs, however often", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const backoff = fc.record({
      firstMs: fc.integer({ min: 1, max: 1_000 }),
      maxMs: fc.integer({ min: 1_000, max: 100_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: share,
    });
    fc.assert(
      fc.property(backoff, share, fc.integer({ min: 1, max: 100 }), (options, chance, count) => {
        checkBackoff("backoff", options);
        const waits = new Waits(options);
        for (let n = 0; n < count; n++) {
          const ms = waits.next(() => chance);
          expect(ms).toBeGreaterThanOrEqual(options.firstMs * (1 - options.jitter));
          expect(ms).toBeLessThanOrEqual(options.maxMs);
        }
      }),
    );
  });
});

describe("a back-off that is none", () => {
  const good = { firstMs: 1, maxMs: 10 };
  it.each([
    [-1, "delay"],
    [Infinity, "delay"],
    ["1 s", "delay"],
    [null, "delay"],
    [{ ...good, firstMs: 0 }, "delay.firstMs"],
    [{ ...good, maxMs: 0 }, "delay.maxMs"],
    [{ firstMs: 5 }, "delay.maxMs"],
    [{ ...good, factor: 0.5 }, "delay.factor"],
    [{ ...good, factor: NaN }, "delay.factor"],
    [{ ...good, jitter: 2 }, "delay.jitter"],
    [{ ...good, resetAfterMs: -1 }, "delay.resetAfterMs"],
    [{ ...good, max: 1 }, "delay: max"],
  ])("%o is refused, naming %s", (value, option) => {
    expect(() => checkBackoff("delay", value)).toThrow(`${option}: got `);
  });
});
