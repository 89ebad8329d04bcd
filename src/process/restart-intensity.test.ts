import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { RestartIntensity } from "./restart-intensity.ts";

describe("RestartIntensity", () => {
  it("O22, R24: allows maxRestarts in maxSeconds, and not one more", () => {
    const intensity = new RestartIntensity(3, 5);
    expect([0, 1, 2, 3].map((ms) => intensity.allows(ms))).toEqual([true, true, true, false]);
  });

  it("R24: counts a restart that is exactly maxSeconds old, and not one that is older", () => {
    expect([0, 5_000].map((ms) => intensityOf(1).allows(ms))).toEqual([true, true]);
    const inclusive = intensityOf(1);
    expect([0, 5_000].map((ms) => inclusive.allows(ms))).toEqual([true, false]);
    const past = intensityOf(1);
    expect([0, 5_000.001].map((ms) => past.allows(ms))).toEqual([true, true]);
  });

  it("with 0 allows none", () => {
    expect(intensityOf(0).allows(1)).toBe(false);
  });

  it("O22: says what a count over the window says", () =>
    fc.assert(
      fc.property(fc.nat(4), fc.array(fc.nat(4_000), { maxLength: 20 }), (maxRestarts, gaps) => {
        const intensity = intensityOf(maxRestarts);
        const times: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          times.push((now += gap));
          const recent = times.filter((time) => time >= now - 5_000).length;
          expect(intensity.allows(now)).toBe(recent <= maxRestarts);
        }
      }),
    ));
});

const intensityOf = (maxRestarts: number): RestartIntensity => new RestartIntensity(maxRestarts, 5);
