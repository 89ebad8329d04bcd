import { describe, expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { fuzz } from "./wire.ts";

describe("every decoder (R60)", () => {
  it("gives a value that can be handled and answered for 100,000 mutated frames (R62, R63)", () => {
    const { tallies, crashes } = fuzz(100_000, 1);
    score("R60", "of 100,000 mutated frames, those that crash a decoder", `${crashes.length}`);
    expect(crashes).toEqual([]);
    expect(tallies.reduce((sum, { inputs }) => sum + inputs, 0)).toBe(100_000);
    for (const { kind, message, refused, undecodable } of tallies) {
      // All outcomes are met, so that the run is about each of them; version 1 has no binary frames.
      const met = kind === "V1 binary" ? [undecodable] : [message, refused, undecodable];
      expect([kind, Math.min(...met) > 500]).toEqual([kind, true]);
    }
  }, 60_000);
});
