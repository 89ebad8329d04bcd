import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fields } from "./schema.ts";

const schema = fields({ device: "string", version: "number", muted: "boolean" });
const validate = (value: unknown): unknown => schema["~standard"].validate(value);

describe("fields", () => {
  it("gives the fields it names, and only these", () => {
    const value = { device: "phone", version: 2, muted: false };
    expect(validate({ ...value, isAdmin: true })).toEqual({ value });
  });

  it("tells every field that is missing or of another type, and nothing of what came", () => {
    expect(validate({ device: 7, version: "hunter2", muted: true })).toEqual({
      issues: [{ message: "device: expected a string" }, { message: "version: expected a number" }],
    });
    expect(validate({})).toMatchObject({ issues: [{}, {}, {}] });
  });

  it.each([null, undefined, "text", 5, true, [1]])("takes no %j", (value) => {
    expect(validate(value)).toEqual({ issues: [{ message: "expected an object" }] });
  });

  it("takes no number that JSON could not write", () => {
    for (const version of [Number.NaN, Infinity]) {
      expect(validate({ device: "", version, muted: true })).toEqual({
        issues: [{ message: "version: expected a number" }],
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
