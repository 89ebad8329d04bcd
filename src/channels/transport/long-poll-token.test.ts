import { describe, expect, it } from "vitest";
import { LongPollTokens, isToken, longestToken, sessionId } from "./long-poll-token.ts";

const claims = { id: sessionId(), answer: 36, madeMs: 123_456.7 };

describe("LongPollTokens", () => {
  it("reads what it made, of a bounded length and of signs that need no escape in a URL", () => {
    const tokens = new LongPollTokens();
    const token = tokens.make(claims);
    expect(tokens.read(token)).toEqual({ ...claims, madeMs: 123_456 });
    expect(encodeURIComponent(token)).toBe(token);
    const longest = { id: sessionId(), answer: 2 ** 53 - 1, madeMs: 2 ** 53 - 1 };
    expect(tokens.make(longest).length).toBeLessThanOrEqual(longestToken);
    expect(tokens.read(tokens.make(longest))).toEqual(longest);
  });

  it("takes no other: of another server, changed in any one place, cut, or longer (R73, R80)", () => {
    const tokens = new LongPollTokens();
    const token = tokens.make(claims);
    expect(new LongPollTokens().read(token)).toBe(undefined);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === "a" ? "b" : "a";
      const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      // The last sign of base64url holds bits that mean nothing.
      if (at < token.length - 1) expect(tokens.read(changed)).toBe(undefined);
      expect(tokens.read(token.slice(0, at))).toBe(undefined);
    }
    for (const text of [undefined, "", "null", `${token} `, `${token}a`, "x".repeat(100_000)])
      expect(tokens.read(text)).toBe(undefined);
    expect(isToken(token)).toBe(true);
    expect(isToken("a user's own token")).toBe(false);
  });

  it("makes ids that are all different", () => {
    expect(new Set(Array.from({ length: 1_000 }, sessionId)).size).toBe(1_000);
  });
});
