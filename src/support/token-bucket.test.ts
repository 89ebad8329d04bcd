import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  it("lets the burst pass at once and then the rate (3.1: 50/s, burst 200)", () => {
    const bucket = new TokenBucket(50, 200, 0);
    for (let n = 0; n < 200; n++) expect(bucket.take(0)).toBe(true);
    expect(bucket.take(0)).toBe(false);
    expect(bucket.take(19)).toBe(false);
    expect(bucket.take(20)).toBe(true);
    expect(bucket.take(20)).toBe(false);
    expect(bucket.take(1_000_020, 200)).toBe(true);
    expect(bucket.take(1_000_020)).toBe(false);
  });

  it("takes all or nothing", () => {
    const bucket = new TokenBucket(1, 10, 0);
    expect(bucket.take(0, 11)).toBe(false);
    expect(bucket.take(0, 10)).toBe(true);
  });

  it("tells the wait until the tokens are there", () => {
    const bucket = new TokenBucket(20, 100, 0);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.take(0, 100);
    expect(bucket.waitMs(0)).toBe(50);
    expect(bucket.waitMs(30, 2)).toBe(70);
    expect(bucket.waitMs(0, 101)).toBe(Infinity);
  });

  it("gives and takes nothing for a clock that steps back", () => {
    const bucket = new TokenBucket(10, 1, 1_000);
    expect(bucket.take(0)).toBe(true);
    expect(bucket.take(0)).toBe(false);
    expect(bucket.take(1_000)).toBe(false);
    expect(bucket.take(1_100)).toBe(true);
  });

  it("has the tokens when the wait is over, though their fractions do not quite add up", () => {
    const bucket = new TokenBucket(9, 173, 0);
    expect(bucket.take(43, 173)).toBe(true);
    expect(bucket.waitMs(43, 8)).toBe(889);
    expect(bucket.take(932, 8)).toBe(true);
    expect(bucket.waitMs(957, 10)).toBe(1_086);
    expect(bucket.take(2_043, 10)).toBe(true);
  });

  it("never lets more pass than burst + rate × time, in any window, and no less once the wait is over", () => {
    const step = fc.record({ passMs: fc.nat(500), count: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 30, max: 200 }),
        fc.array(step),
        (rate, burst, steps) => {
          const bucket = new TokenBucket(rate, burst, 0);
          const passed: { readonly atMs: number; readonly count: number }[] = [];
          let nowMs = 0;
          for (const { passMs, count } of steps) {
            nowMs += passMs;
            if (bucket.take(nowMs, count)) passed.push({ atMs: nowMs, count });
            else {
              nowMs += bucket.waitMs(nowMs, count);
              expect(bucket.take(nowMs, count)).toBe(true);
              passed.push({ atMs: nowMs, count });
            }
          }
          passed.forEach((first, at) => {
            let total = 0;
            for (const { atMs, count } of passed.slice(at)) {
              total += count;
              expect(total).toBeLessThanOrEqual(
                burst + (rate * (atMs - first.atMs)) / 1_000 + 1e-6,
              );
            }
          });
        },
      ),
    );
  });
});
