import { describe, expect, it } from "vitest";
import { seededRandom } from "./seeded-random.ts";

const numbers = (seed: number, count: number): number[] =>
  Array.from({ length: count }, seededRandom(seed));

describe("seededRandom", () => {
  it("gives the same numbers for the same seed, others for another", () => {
    expect(numbers(7, 100)).toEqual(numbers(7, 100));
    expect(numbers(7, 100)).not.toEqual(numbers(8, 100));
  });

  it("gives numbers from 0 to 1, spread evenly", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const number of numbers(1, 10_000)) {
      expect(number >= 0 && number < 1).toBe(true);
      tenths[Math.floor(number * 10)]!++;
    }
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
