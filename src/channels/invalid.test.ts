import { describe, expect, it } from "vitest";
import { invalidOf } from "./invalid.ts";

const told = (message: string, payload: unknown, path?: readonly (string | number)[]): unknown =>
  invalidOf([{ message, ...(path !== undefined && { path }) }], payload)[0]!.message;

describe("what a schema says", () => {
  it("is told with where it is wrong, whatever form the path has", () => {
    const issues = [
      { message: "expected an object" },
      { message: "expected a string", path: ["items", 0, { key: "name" }] },
      { message: "expected a string", path: [{ key: Symbol("s") }] },
    ];
    expect(invalidOf(issues, [])).toEqual([
      { path: "", message: "expected an object" },
      { path: "items.0.name", message: "expected a string" },
      { path: "Symbol(s)", message: "expected a string" },
    ]);
  });

  it.each<[string, unknown, string, (readonly (string | number)[])?]>([
    ['received "hunter2"', { pin: "hunter2" }, 'received "…"', ["pin"]],
    ["must be a string (was 123)", { pin: 123 }, "must be a string (was …)", ["pin"]],
    ["at most 9 (was 10)", [1, [10]], "at most 9 (was …)"],
    ["Unrecognized key: hunter2", { hunter2: 1 }, "Unrecognized key: …"],
    ['was "a\\"b\\\\c"', { deep: { text: 'a"b\\c' } }, 'was "…"', ["deep", "text"]],
    ["no such user: hunter2", "hunter2", "no such user: …"],
    ["not abcdef, not abc", ["abc", "abcdef"], "not …, not …"],
  ])("does not quote what came: %s (R92)", (message, payload, without, path) => {
    expect(told(message, payload, path)).toBe(without);
  });

  it("is told where a name of its path stands in it, and where what came is in half of all words", () => {
    expect(told("pin must be a string (was a number)", { pin: 7 }, ["pin"])).toBe(
      "pin must be a string (was a number)",
    );
    expect(told("expected a string", { by: "a", to: "in" })).toBe("expected a string");
    expect(told("expected bytes", new Uint8Array(3))).toBe("expected bytes");
  });

  it.each([
    ["more came than is looked for", [...Array.from({ length: 1_000 }, () => 1), "hunter2"], ""],
    ["more is said than is looked through", { pin: "hunter2" }, "!".repeat(1_000)],
  ])(
    "is not told at all where %s: what it quotes would stand there (R92)",
    (_why, payload, rest) => {
      expect(told(`was hunter2${rest}`, payload)).toBe("…");
    },
  );

  it("is bounded: so many issues, and so long", () => {
    const issues = Array.from({ length: 1_000 }, () => ({
      message: "m".repeat(999),
      path: ["p".repeat(9_999)],
    }));
    const invalid = invalidOf(issues, {});
    expect(invalid).toHaveLength(10);
    expect(invalid[0]).toEqual({ path: "p".repeat(200), message: "m".repeat(200) });
  });
});
