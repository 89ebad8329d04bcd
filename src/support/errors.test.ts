import { describe, expect, it } from "vitest";
import { SluiceError, checkInteger, invalidOption } from "./errors.ts";

describe("SluiceError", () => {
  const error = new SluiceError("SLUICE_TIMEOUT", "late", { timeoutMs: 5 }, { cause: "why" });

  it("carries a code, details, a cause, and whether the same again may succeed", () => {
    expect(error).toMatchObject({
      name: "SluiceError",
      message: "late",
      code: "SLUICE_TIMEOUT",
      details: { timeoutMs: 5 },
      cause: "why",
      retryable: true,
    });
    expect(new SluiceError("SLUICE_SELF_CALL", "no", { pid: "a#1" }).retryable).toBe(false);
  });

  it("is told apart by code, and is an Error", () => {
    expect(error instanceof Error).toBe(true);
    expect(SluiceError.is(error, "SLUICE_TIMEOUT")).toBe(true);
    expect(SluiceError.is(error, "SLUICE_EXITED")).toBe(false);
    for (const other of [new Error("x"), { code: "SLUICE_TIMEOUT" }, null, undefined, "text"])
      expect(SluiceError.is(other, "SLUICE_TIMEOUT")).toBe(false);
  });
});

describe("invalidOption", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;

  it.each([
    ["text", '"text"'],
    [NaN, "NaN"],
    [-0.5, "-0.5"],
    [10n, "10"],
    [undefined, "undefined"],
    [null, "null"],
    [{ a: 1 }, '{"a":1}'],
    [Symbol("s"), "Symbol(s)"],
    [cyclic, "a value that cannot be described"],
  ])("shows %o as text, whatever it is", (got, shown) => {
    const error = invalidOption("option", got, "something else");
    expect(error.message).toBe(`option: got ${shown}, expected something else`);
    expect(error.details).toEqual({ option: "option", got: shown, expected: "something else" });
  });
});

describe("checkInteger", () => {
  it("takes whole numbers within bounds and refuses everything else, naming the bounds", () => {
    for (const ok of [1, 2, 10]) expect(() => checkInteger("n", ok, 1, 10)).not.toThrow();
    for (const bad of [0, 11, 1.5, NaN, Infinity, "5", undefined, 2 ** 53])
      expect(() => checkInteger("n", bad, 1, 10)).toThrow("expected a whole number from 1 to 10");
    expect(() => checkInteger("n", 0, 1)).toThrow("expected a whole number of at least 1");
  });
});
