import { describe, expect, it } from "vitest";
import { limitsOf } from "../limits.ts";
import { SocketRates } from "./socket-rates.ts";

const limits = limitsOf({
  messagesPerSecond: 10,
  messageBurst: 20,
  overRateMs: 3_000,
  bytesPerSecond: 1_000,
  byteBurst: 5_000,
  joinsPerSecond: 2,
  joinBurst: 3,
  failedJoinsPerMinute: 2,
  maxStrikes: 3,
});

describe("SocketRates", () => {
  it("lets a burst pass, then the rate; the rest is refused, and for too long it is too much (R69)", () => {
    const rates = new SocketRates(limits, 0);
    const verdicts = Array.from({ length: 21 }, () => rates.message(1, 0));
    expect(verdicts).toEqual([...Array.from({ length: 20 }, () => "passes"), "refused"]);
    expect(rates.message(1, 100)).toBe("passes");
    expect(rates.message(1, 100)).toBe("refused");
    for (let at = 150; at < 3_000; at += 50) expect(rates.message(1, at)).not.toBe("tooMany");
    expect([rates.message(1, 3_000), rates.message(1, 3_000)]).toEqual(["passes", "tooMany"]);
  });

  it("forgives an excess that is over", () => {
    const rates = new SocketRates(limits, 0);
    for (let n = 0; n < 21; n++) rates.message(1, 0);
    for (let second = 2; second < 20; second += 2) {
      const verdicts = Array.from({ length: 21 }, () => rates.message(1, second * 1_000));
      expect(verdicts.at(-1)).toBe("refused");
    }
  });

  it("counts bytes, without forgiving", () => {
    const rates = new SocketRates(limits, 0);
    expect(rates.message(5_000, 0)).toBe("passes");
    expect(rates.message(1, 0)).toBe("tooMany");
    expect(rates.message(1_000, 1_000)).toBe("passes");
  });

  it("paces joins, naming the wait, and counts those that came to nothing (R68)", () => {
    const rates = new SocketRates(limits, 0);
    expect([1, 2, 3, 4].map(() => rates.join(0))).toEqual([0, 0, 0, 500]);
    expect(rates.join(500)).toBe(0);
    expect([1, 2, 3].map(() => rates.failedJoin(0))).toEqual([true, true, false]);
    expect(rates.failedJoin(30_000)).toBe(true);
    expect(rates.failedJoin(30_000)).toBe(false);
  });

  it("forgives two strikes of three", () => {
    const rates = new SocketRates(limits, 0);
    expect([1, 2, 3].map(() => rates.strike())).toEqual([true, true, false]);
  });
});
