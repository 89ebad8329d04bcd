import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, fields } from "./schema.ts";

const schema = fields({ device: "string", version: "number", muted: "boolean" });
const validate = (value: unknown): unknown => schema["~standard"].validate(value);

describe("fields", () => {
  it("gives the fields it names, and only these", () => {
    const value = { device: "phone", version: 2, muted: false };
    expect(validate({ ...value, isAdmin: true })).toEqual({ value });
  });

  it("tells every field that is missing or of another type, and nothing of what came", () => {
    expect(validate({ device: 7, version: "hunter2", muted: true })).toEqual({
      issues: [
        { message: "expected a string", path: ["device"] },
        { message: "expected a number", path: ["version"] },
      ],
    });
    expect(validate({})).toMatchObject({ issues: [{}, {}, {}] });
  });

  it.each([null, undefined, "text", 5, true, [1]])("takes no %j", (value) => {
    expect(validate(value)).toEqual({ issues: [{ message: "expected an object" }] });
  });

  it("takes no number that JSON could not write", () => {
    for (const version of [Number.NaN, Infinity]) {
      expect(validate({ device: "", version, muted: true })).toEqual({
        issues: [{ message: "expected a number", path: ["version"] }],
      });
    }
  });

  it("sees own fields only, and no name is special (R63)", () => {
    const names = fields({ toString: "string" });
    expect(names["~standard"].validate({})).toHaveProperty("issues");
    const odd = fields({ ["__proto__"]: "string", constructor: "string" });
    const result = odd["~standard"].validate(JSON.parse('{"__proto__":"a","constructor":"b"}'));
    expect(JSON.stringify(result)).toBe('{"value":{"__proto__":"a","constructor":"b"}}');
    expect(validate(Object.create({ device: "phone", version: 2, muted: false }))).toHaveProperty(
      "issues",
    );
  });

  it("gives a value for all JSON, and what it lets pass is of its type", () => {
    const near = fc.record(
      {
        device: fc.oneof(fc.string(), fc.jsonValue()),
        version: fc.oneof(fc.integer(), fc.jsonValue()),
        muted: fc.oneof(fc.boolean(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(near, fc.jsonValue()), (input) => {
        const result = validate(input) as {
          readonly value?: Record<string, unknown>;
          readonly issues?: readonly unknown[];
        };
        if (result.issues !== undefined) expect(result.issues.length).toBeGreaterThan(0);
        else {
          const { device, version, muted } = result.value!;
          expect([typeof device, typeof version, typeof muted]).toEqual([
            "string",
            "number",
            "boolean",
          ]);
        }
      }),
    );
  });
});

describe("binary", () => {
  it("lets bytes pass, as many as may be, and nothing else", () => {
    const schema = binary(2);
    const check = (value: unknown): unknown => schema["~standard"].validate(value);
    const value = Uint8Array.of(1, 2);
    expect(check(value)).toEqual({ value });
    expect(check(new Uint8Array())).toHaveProperty("value");
    expect(check(new Uint8Array(3))).toEqual({ issues: [{ message: "expected at most 2 bytes" }] });
    for (const other of [{ 0: 1, length: 1 }, [1], "a", null, undefined, new ArrayBuffer(1)])
      expect(check(other)).toEqual({ issues: [{ message: "expected bytes, in a binary frame" }] });
  });

  it("is bounded", () => {
    for (const bad of [-1, 1.5, Number.NaN, Infinity, "1" as unknown as number])
      expect(() => binary(bad)).toThrow(/maxBytes/);
  });
});
