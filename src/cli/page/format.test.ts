import { describe, expect, it } from "vitest";

interface Pair {
  readonly key: string | undefined;
  readonly value: string;
}
interface Format {
  readonly count: (value: number | undefined) => string;
  readonly rate: (value: number | undefined) => string;
  readonly duration: (ms: number | undefined) => string;
  readonly pairs: (payload: object) => Pair[];
}
// What the page runs is JavaScript without types.
const { count, rate, duration, pairs } = (await import(
  new URL("./format.js", import.meta.url).href
)) as Format;

describe("format", () => {
  it("shows counts and rates as short as they can be read", () => {
    const counts = [0, 7, 1_234, 99_999, 123_456, 4_500_000].map(count);
    expect(counts).toEqual(["0", "7", "1,234", "99,999", "123.5K", "4.5M"]);
    expect([0, 0.25, 9.96, 12.4, 5_000].map(rate)).toEqual(["0", "0.25", "10", "12", "5,000"]);
  });

  it("shows durations with their unit", () => {
    const durations = [0.123, 7.44, 12.6, 999, 1_234, 65_000].map(duration);
    expect(durations).toEqual(["0.12 ms", "7.4 ms", "13 ms", "999 ms", "1.2 s", "65 s"]);
  });

  it("shows a dash for what is not known", () => {
    expect([count(undefined), rate(Number.NaN), duration(undefined)]).toEqual(["–", "–", "–"]);
  });

  it("shows a payload as pairs, { data } as its text alone, and never the key of Sluice itself", () => {
    expect(pairs({ level: "info", user: { id: 7 }, "~": { receipt: 1 } })).toEqual([
      { key: "level", value: "info" },
      { key: "user", value: '{"id":7}' },
    ]);
    const line = pairs({ data: "a line", "~": { receipt: 1 } });
    expect(line).toEqual([{ key: undefined, value: "a line" }]);
    expect(pairs({ data: 7 })).toEqual([{ key: undefined, value: "7" }]);
  });

  it("cuts what is long, and says so", () => {
    const [pair] = pairs({ data: "x".repeat(5_000) });
    expect(pair?.value).toBe(`${"x".repeat(2_000)}… (5,000 characters)`);
    const many = pairs(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])));
    expect(many.length).toBe(51);
    expect(many.at(-1)).toEqual({ key: undefined, value: "… 10 more" });
  });
});
