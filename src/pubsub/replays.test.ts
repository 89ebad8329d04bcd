import { array, assert, integer, property } from "fast-check";
import { expect, it } from "vitest";
import { Replays } from "./replays.ts";

const width = 4_096;

it("a number of a life is heard once, however late and in whatever order it comes (R59)", () => {
  assert(
    property(array(integer({ min: 1, max: 3 * width }), { maxLength: 200 }), (numbers) => {
      const replays = new Replays(1_000);
      const heard = new Set<number>();
      let highest = 0;
      for (const seq of numbers.flatMap((n) => [n, Math.max(n - 7, 1), n])) {
        // Too late to know: rather not heard than twice.
        const isFirst = !heard.has(seq) && seq > highest - width;
        expect(replays.isFirst("a", seq, 0, 0)).toBe(isFirst);
        heard.add(seq);
        highest = Math.max(highest, seq);
      }
    }),
  );
});

it("a life is remembered for as long as what it said is fresh, and not longer", () => {
  const replays = new Replays(1_000);
  expect(replays.isFirst("a", 1, 0, 0)).toBe(true);
  expect(replays.isFirst("a", 2, 500, 500)).toBe(true);
  expect(replays.isFirst("b", 1, 1_500, 1_500)).toBe(true);
  expect(replays.isFirst("a", 2, 500, 1_500)).toBe(false);
  expect(replays.size).toBe(2);
  expect(replays.isFirst("c", 1, 1_501, 1_501)).toBe(true);
  expect(replays.size).toBe(2);
});
