import { describe, expect, it } from "vitest";
import { type BadLine, PayloadReader, maxJsonDepth, parseJson, toPayload } from "./payload.ts";

function reader(
  format: "lines" | "ndjson",
  atBad: "skip" | "stop" = "skip",
): { reader: PayloadReader; bad: BadLine[] } {
  const bad: BadLine[] = [];
  return { reader: new PayloadReader(format, (line) => (bad.push(line), atBad)), bad };
}

describe("PayloadReader", () => {
  it("wraps each line of text, also an empty one", () => {
    expect(reader("lines").reader.read(["a", "", '{"b":1}'])).toEqual([
      { data: "a" },
      { data: "" },
      { data: '{"b":1}' },
    ]);
  });

  it("gives the object of an NDJSON line as it is, wraps everything else, passes over empty lines", () => {
    const lines = ['{"a":{"b":[1]}}', "1", '"text"', "null", "[1,2]", "", "  \t", "true"];
    expect(reader("ndjson").reader.read(lines)).toEqual([
      { a: { b: [1] } },
      { data: 1 },
      { data: "text" },
      { data: null },
      { data: [1, 2] },
      { data: true },
    ]);
  });

  it("counts and tells a bad line by its number, over all reads, and goes on after it", () => {
    const { reader: lines, bad } = reader("ndjson");
    expect(lines.read(['{"a":1}', ""])).toEqual([{ a: 1 }]);
    expect(lines.read(["secret", "2"])).toEqual([{ data: 2 }]);
    expect(lines.read(['{"a":'])).toEqual([]);
    expect(bad).toEqual([
      { line: 3, reason: "not valid JSON" },
      { line: 5, reason: "not valid JSON: it ends too early" },
    ]);
    expect(lines).toMatchObject({ lines: 5, badLines: 2, lastBad: { line: 5 } });
  });

  it("stops at the bad line where it is told to", () => {
    const { reader: lines } = reader("ndjson", "stop");
    expect(lines.read(["1", "x", "2"])).toEqual([{ data: 1 }]);
    expect(lines).toMatchObject({ lines: 2, badLines: 1 });
  });
});

describe("toPayload", () => {
  it("wraps an object that uses the key of Sluice itself", () => {
    expect(toPayload({ "~": { receipt: 1 } })).toEqual({ data: { "~": { receipt: 1 } } });
  });

  it("keeps names of Object.prototype ordinary (R63)", () => {
    const payload = toPayload(JSON.parse('{"__proto__":{"polluted":1},"constructor":2}'));
    expect(Object.keys(payload)).toEqual(["__proto__", "constructor"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("parseJson", () => {
  it("says where it broke and quotes nothing of what came (R91)", () => {
    for (const text of [
      "secret",
      '{"secret" 1}',
      '["secret"',
      '{"secret":"secret',
      "{'secret':1}",
      "[1] secret",
    ]) {
      const parsed = parseJson(text);
      expect(parsed).toHaveProperty("reason");
      expect(JSON.stringify(parsed)).not.toContain("secret");
    }
    expect(parseJson('{"a" 1}')).toEqual({ reason: "not valid JSON at character 6", at: 5 });
  });

  it("refuses what is nested deeper than can be encoded again (R62)", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(maxJsonDepth))).toHaveProperty("value");
    expect(parseJson(nested(maxJsonDepth + 1))).toEqual({
      reason: "nested more than 64 deep",
      at: 64,
    });
    expect(parseJson(nested(15_000))).toHaveProperty("reason");
    expect(parseJson('{"a":'.repeat(65) + "1" + "}".repeat(65))).toHaveProperty("reason");
  });

  it("counts no brackets in strings, and none that are closed", () => {
    const text = JSON.stringify({ brackets: '\\"' + "[".repeat(500) });
    expect(parseJson(text)).toEqual({ value: JSON.parse(text) as unknown });
    expect(parseJson(JSON.stringify(Array.from({ length: 500 }, () => [{}])))).toHaveProperty(
      "value",
    );
  });
});
