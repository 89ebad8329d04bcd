import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "../limits.ts";
import type { Decoded, WireRef } from "./serializer.ts";
import { v2 } from "./v2-serializer.ts";

const decode = (text: string): Decoded => v2.decodeText(text, defaultLimits);
const encodeReply = (joinRef: WireRef, ref: WireRef, topic: string, status: "error"): string =>
  v2.reply(joinRef, ref, topic, status, "{}") as string;

describe("decode, whatever comes (R60)", () => {
  /** Checks what a text decodes to against the text itself, and that it can be answered. */
  const expectSane = (input: string): Decoded["kind"] => {
    const result = decode(input);
    if (result.kind === "message") {
      const [joinRef, ref, topic, event, payload] = JSON.parse(input) as unknown[];
      expect(result.message).toEqual({ joinRef, ref, topic, event, payload });
      expect(Buffer.byteLength(result.message.topic)).toBeLessThanOrEqual(255);
      expect(Buffer.byteLength(result.message.event)).toBeLessThanOrEqual(64);
    }
    if (result.kind === "undecodable") expect(result.reason.length).toBeGreaterThan(0);
    else {
      const { joinRef, ref, topic } = result.kind === "message" ? result.message : result;
      const reply = JSON.parse(encodeReply(joinRef, ref, topic, "error")) as unknown[];
      // JSON knows no −0.
      expect(reply.slice(0, 3)).toEqual(
        [joinRef, ref, topic].map((name) => (name === 0 ? 0 : name)),
      );
    }
    return result.kind;
  };

  it("gives a value for 10,000 arbitrary texts", () => {
    const noise = fc
      .array(fc.constantFrom(...'[]{},:"\\0-9e+. \t\u0000ntrue'.split(""), "\ud800"), {
        maxLength: 60,
      })
      .map((chars) => chars.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), noise, fc.json()), (input) => {
        expect(["message", "refused", "undecodable"]).toContain(expectSane(input));
      }),
      { numRuns: 10_000 },
    );
  });

  it("gives a value for 50,000 valid frames that were cut, doubled and altered", () => {
    const ref = fc.oneof(fc.constant(null), fc.string({ maxLength: 40 }), fc.double());
    const topic = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("room:1", "phoenix", "__proto__"),
    );
    const valid = fc
      .tuple(ref, ref, topic, fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 3 }))
      .map((elements) => JSON.stringify(elements));
    const mutation = fc.record({
      at: fc.nat(200),
      length: fc.nat(8),
      insert: fc.oneof(
        fc.string({ unit: "binary", maxLength: 3 }),
        fc.constantFrom(
          "[",
          "]",
          "{",
          "}",
          '"',
          "\\",
          ",",
          ":",
          "null",
          "1e999",
          "-",
          "\\ud800",
          '"__proto__":',
          "[".repeat(70),
          ",0".repeat(30),
        ),
      ),
    });
    const mutated = fc.tuple(valid, fc.array(mutation, { maxLength: 4 })).map(([text, mutations]) =>
      mutations.reduce((text, { at, length, insert }) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + insert + text.slice(start + length);
      }, text),
    );
    const kinds = { message: 0, refused: 0, undecodable: 0 };
    fc.assert(
      fc.property(mutated, (input) => {
        kinds[expectSane(input)]++;
      }),
      { numRuns: 50_000 },
    );
    // All three are met, so the property is about each of them.
    expect(Math.min(...Object.values(kinds))).toBeGreaterThan(100);
  }, 60_000);
});
