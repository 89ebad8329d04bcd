import { expect, it } from "vitest";
import { slopeOf } from "./slope.ts";

it("the slope of points is that of the line nearest to them", () => {
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toBe(2);
  expect(
    slopeOf([
      [0, 5],
      [1, 5.5],
      [2, 4.5],
      [3, 5],
    ]),
  ).toBeCloseTo(-0.1);
});
