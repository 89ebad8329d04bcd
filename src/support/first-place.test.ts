import { describe, expect, it } from "vitest";
import { firstPlace } from "./first-place.ts";

describe("firstPlace", () => {
  it("finds where what holds begins, in lists of any length, in steps that double what they reach", () => {
    for (let count = 0; count <= 33; count++)
      for (let first = 0; first <= count; first++) {
        let asked = 0;
        const holds = (place: number): boolean => {
          asked++;
          expect(place).toBeLessThan(count);
          return place >= first;
        };
        expect(firstPlace(count, holds)).toBe(first);
        expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(count + 1)));
      }
  });
});
