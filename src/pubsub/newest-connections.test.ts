import { expect, it } from "vitest";
import { NewestConnections } from "./newest-connections.ts";

it("tells what comes by an older connection, of a thousand nodes that connected again last (C69, R50)", () => {
  const newest = new NewestConnections();
  expect([newest.isLate("a", 0), newest.isLate("a", 5), newest.isLate("a", 0)]).toEqual([
    false,
    false,
    true,
  ]);
  expect([newest.isLate("a", 5), newest.isLate("b", 0)]).toEqual([false, false]);
  for (let n = 1; n < 1_000; n++) newest.isLate(`${n}`, 7);
  expect(newest.isLate("a", 4)).toBe(true);
  newest.isLate("one more", 7);
  expect([newest.isLate("a", 4), newest.isLate("999", 3)]).toEqual([false, true]);
});
