import { expect, it } from "vitest";
import { isToken } from "./token.ts";

it("isToken takes the token, and nothing that only looks like it", () => {
  expect(isToken("a secret", "a secret")).toBe(true);
  for (const given of [
    "a secreT",
    "a secre",
    "",
    ["a secret"],
    { toString: 1 },
    null,
    undefined,
    7,
  ]) {
    expect(isToken(given, "a secret")).toBe(false);
  }
});
