import { expect, it } from "vitest";
import { programs, simulateAll } from "./all-seeds.ts";

it("R14: 500 seeds of each example, with slow callbacks and a wall clock that jumps, crashes where it restarts: each ends when it is told to", async () => {
  const lines: string[] = [];
  const counted = await simulateAll(500, (line) => lines.push(line));
  expect([...counted.keys()].toSorted()).toEqual(programs());
  expect(counted.size).toBeGreaterThan(9);
  for (const [file, { seeds, steps, traces }] of counted) {
    expect(seeds).toBe(500);
    expect(steps).toBeGreaterThan(500);
    // One thing after the other: there is nothing to choose.
    if (file !== "a7-restart.ts") expect([file, traces > 100]).toEqual([file, true]);
  }
  console.info(lines.join("\n"));
}, 240_000);
