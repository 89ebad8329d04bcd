import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanJson } from "./json-scan.ts";

const limits = { maxJsonDepth: 4, maxObjectKeys: 3, maxArrayLength: 5 };

/** How deep and how wide a value is: the recursive definition, for values that are known to be small. */
function measure(value: unknown): {
  readonly depth: number;
  readonly keys: number;
  readonly entries: number;
} {
  if (typeof value !== "object" || value === null) return { depth: 0, keys: 0, entries: 0 };
  const inner = Object.values(value).map(measure);
  const most = (pick: (size: ReturnType<typeof measure>) => number): number =>
    Math.max(0, ...inner.map(pick));
  return {
    depth: 1 + most(({ depth }) => depth),
    keys: Math.max(
      Array.isArray(value) ? 0 : inner.length,
      most(({ keys }) => keys),
    ),
    entries: Math.max(
      Array.isArray(value) ? inner.length : 0,
      most(({ entries }) => entries),
    ),
  };
}

describe("scanJson", () => {
  it("names the limit that is overstepped (3.1)", () => {
    expect(scanJson("[[[[0]]]]", limits).excess).toBeUndefined();
    expect(scanJson("[[[[[0]]]]]", limits).excess).toBe("nested deeper than 4");
    expect(scanJson('{"a":{"b":[{"c":{}}]}}', limits).excess).toBe("nested deeper than 4");
    expect(scanJson('{"a":1,"b":2,"c":3}', limits).excess).toBeUndefined();
    expect(scanJson('{"a":1,"b":2,"c":3,"d":4}', limits).excess).toBe(
      "more than 3 keys in an object",
    );
    expect(scanJson("[1,2,3,4,5]", limits).excess).toBeUndefined();
    expect(scanJson("[1,2,3,4,5,6]", limits).excess).toBe("more than 5 entries in an array");
  });

  it("does not look into strings", () => {
    expect(
      scanJson(String.raw`["[[[[[[[[", "{{\"{{,,,,,,\\", "\\\\"]`, limits).excess,
    ).toBeUndefined();
  });

  it("is not fooled by what closes more than it opened", () => {
    expect(scanJson("]]]]]][[[[[", limits).excess).toBe("nested deeper than 4");
  });

  it("tells where the head of a message ends", () => {
    const text = '["1", [2, 3], "room,1", "e", [[[[[';
    expect(text.slice(0, scanJson(text, limits).headEnd)).toBe('["1", [2, 3], "room,1"');
    expect(scanJson("[1, 2]", limits).headEnd).toBe(0);
    expect(scanJson("1, 2, 3, 4", limits).headEnd).toBe(0);
    expect(scanJson("[[[[[", limits).headEnd).toBe(0);
  });

  it("agrees with the parsed value for all JSON, however it is spaced", () => {
    const value = fc.json({ maxDepth: 6, depthSize: "medium", stringUnit: "binary" });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (json, indent) => {
        const { depth, keys, entries } = measure(JSON.parse(json));
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        const isOver =
          depth > limits.maxJsonDepth ||
          keys > limits.maxObjectKeys ||
          entries > limits.maxArrayLength;
        expect(scanJson(text, limits).excess !== undefined).toBe(isOver);
      }),
      { numRuns: 2_000 },
    );
  });
});
