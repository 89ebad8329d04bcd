import { expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { explode } from "./explosion.ts";

it(
  "too many keys in one topic, 1,000 metas on one key and a meta of 1 MB: the limits hold, each diff is bounded, and nothing is left of whoever ended (R55)",
  { timeout: 120_000 },
  async () => {
    const found = await explode(12);
    score("R55", "presences of 1,000 processes, 12 keys each", JSON.stringify(found));
    const { keys, metasOfOne, refused, huge, largestDiff, left } = found;
    expect([keys, metasOfOne, left]).toEqual([10_000, 10, 0]);
    expect(refused).toEqual({ maxKeysPerTopic: 2_000, maxMetasPerKey: 990 });
    expect(huge).toBe("the meta is over 4096 bytes");
    expect(largestDiff).toBeLessThan(1.5 * 256 * 1_024);
  },
);
