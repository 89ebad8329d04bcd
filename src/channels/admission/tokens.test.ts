import { describe, expect, it } from "vitest";
import { withSystem } from "../../process/index.ts";
import { manualClock, type ManualClock } from "../../testing/index.ts";
import { score } from "../../../test/scoreboard.ts";
import { tokens, type Tokens } from "./tokens.ts";

const secret = "only-for-this-example-0123456789-abcdef";
const other = "another-one-for-this-example-9876543210";
const dayMs = 86_400_000;

interface User {
  readonly user: string;
}
const ada: User = { user: "ada" };
const invalid = { status: "invalid" };

/** Under a clock that starts on the first of January 2020. */
function at(
  body: (clock: ManualClock, users: Tokens<User>) => void | Promise<void>,
): Promise<void> {
  const clock = manualClock();
  return withSystem(async () => body(clock, tokens<User>("user socket", { secrets: [secret] })), {
    clock,
  });
}

describe("tokens (C120, C123, R73)", () => {
  it("come back as they went (L106)", () =>
    at((_, users) => {
      expect(users.verify(users.sign(ada), dayMs)).toEqual({ status: "valid", payload: ada });
      expect(users.sign(ada)).toMatch(/^[\w-]+$/);
    }));

  it("have a form that others can make: HKDF, HMAC-SHA-256, the bytes in their places (C121, C122)", () =>
    at((_, users) => {
      // Made by a program in another language, from the description in token-codec.ts alone.
      const known =
        "AXRD6oQBb15m6AAAAAUmXAB7InVzZXIiOiJhZGEifZ--bVRNtWov_nKHaXyZXkQnFZRl98VBLnD8vMfEOOoH";
      expect(users.sign(ada)).toBe(known);
      expect(users.verify(known, dayMs)).toEqual({ status: "valid", payload: ada });
    }));

  it("are missing where there is none, and invalid for anything that was not made here (L106)", () =>
    at((_, users) => {
      for (const nothing of [undefined, null, ""])
        expect(users.verify(nothing, dayMs)).toEqual({ status: "missing" });
      const token = users.sign(ada);
      const strange = [7, {}, [token], "x", "a b", `${token}=`, `${token} `, token.toUpperCase()];
      for (const one of [...strange, "A".repeat(4_096), "A".repeat(100_000)])
        expect(users.verify(one, dayMs)).toEqual(invalid);
    }));

  it.each([false, true])("hold no bit that may be changed; encrypted: %s", (encrypted) =>
    at(() => {
      const users = tokens<User>("user socket", { secrets: [secret], encrypted });
      const bytes = Buffer.from(users.sign(ada), "base64url");
      let accepted = 0;
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const altered = Buffer.from(bytes);
        altered[bit >> 3]! ^= 1 << (bit & 7);
        const verdict = users.verify(altered.toString("base64url"), dayMs);
        if (verdict.status === "valid") accepted++;
        expect(verdict).toEqual(invalid);
      }
      const kind = encrypted ? "encrypted" : "signed";
      score(
        "R73",
        `of ${bytes.length * 8} bits changed in a token, ${kind}, accepted`,
        `${accepted}`,
      );
      for (let length = 1; length < bytes.length; length++)
        expect(users.verify(bytes.subarray(0, length).toString("base64url"), dayMs)).toEqual(
          invalid,
        );
      const longer = Buffer.concat([bytes, Buffer.from([0])]);
      expect(users.verify(longer.toString("base64url"), dayMs)).toEqual(invalid);
    }),
  );

  it("have one spelling each", () =>
    at((_, users) => {
      expect.hasAssertions();
      const token = users.sign({ user: "adam" });
      const last = token.at(-1)!;
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      for (const letter of alphabet)
        if (letter !== last)
          expect(users.verify(token.slice(0, -1) + letter, dayMs)).toEqual(invalid);
    }));

  it("are of one purpose, one secret and one kind", () =>
    at((_, users) => {
      const token = users.sign(ada);
      const rest = [
        tokens<User>("password reset", { secrets: [secret] }),
        tokens<User>("user socket", { secrets: [other] }),
        tokens<User>("user socket", { secrets: [secret], encrypted: true }),
      ];
      for (const tokens of rest) {
        expect(tokens.verify(token, dayMs)).toEqual(invalid);
        expect(users.verify(tokens.sign(ada), dayMs)).toEqual(invalid);
      }
    }));

  it("do not choose how they are verified: no version passes for another", () =>
    at((_, users) => {
      const bytes = Buffer.from(users.sign(ada), "base64url");
      const both = tokens<User>("user socket", { secrets: [secret], encrypted: true });
      for (let version = 0; version < 256; version++) {
        bytes[0] = version;
        const token = bytes.toString("base64url");
        expect(both.verify(token, dayMs)).toEqual(invalid);
        expect(users.verify(token, dayMs).status).toBe(version === 1 ? "valid" : "invalid");
      }
    }));

  it("expire by what was signed and by what is asked, whichever is less", () =>
    at(async (clock, users) => {
      const token = users.sign(ada);
      const short = tokens<User>("user socket", { secrets: [secret], maxAgeMs: 1_000 }).sign(ada);
      expect(users.verify(token, 0)).toEqual({ status: "expired" });
      await clock.advance(999);
      expect(users.verify(short, dayMs).status).toBe("valid");
      expect(users.verify(token, 1_000).status).toBe("valid");
      await clock.advance(1);
      expect(users.verify(short, dayMs)).toEqual({ status: "expired" });
      expect(users.verify(token, 1_000)).toEqual({ status: "expired" });
      expect(users.verify(token, dayMs).status).toBe("valid");
      await clock.advance(dayMs);
      expect(users.verify(token, 2 * dayMs)).toEqual({ status: "expired" });
    }));

  it("may be from a clock that is a minute ahead, and not from the future", async () => {
    const signed: string[] = [];
    for (const aheadMs of [60_000, 60_001])
      await at(async (clock, users) => {
        await clock.advance(aheadMs);
        signed.push(users.sign(ada));
      });
    await at((_, users) => {
      expect(users.verify(signed[0], dayMs).status).toBe("valid");
      expect(users.verify(signed[0], 0)).toEqual({ status: "expired" });
      expect(users.verify(signed[1], dayMs)).toEqual(invalid);
    });
  });

  it("outlive a change of the secret, as long as the old one is listed", () =>
    at((_, users) => {
      const old = users.sign(ada);
      const both = tokens<User>("user socket", { secrets: [other, secret] });
      const next = tokens<User>("user socket", { secrets: [other] });
      expect(both.verify(old, dayMs).status).toBe("valid");
      expect(next.verify(both.sign(ada), dayMs).status).toBe("valid");
      expect(next.verify(old, dayMs)).toEqual(invalid);
    }));

  it("show nothing when encrypted, and differ each time (C124)", () =>
    at(() => {
      const users = tokens<User>("user socket", { secrets: [secret], encrypted: true });
      const [one, two] = [users.sign(ada), users.sign(ada)];
      expect(one).not.toBe(two);
      expect(Buffer.from(one, "base64url").includes("ada")).toBe(false);
      for (const token of [one, two])
        expect(users.verify(token, dayMs)).toEqual({ status: "valid", payload: ada });
    }));

  it("refuse what JSON cannot carry, and what would be too long", () =>
    at(() => {
      const any = tokens<unknown>("any", { secrets: [secret] });
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      for (const payload of [undefined, () => 1, 1n, cycle])
        expect(() => any.sign(payload)).toThrow(/^payload: got .*expected what JSON can carry/);
      expect(() => any.sign("x".repeat(4_000))).toThrow(/^payload: got "a token of \d+ bytes"/);
      const names = JSON.parse('{"__proto__":1,"constructor":2}') as unknown;
      const verified = any.verify(any.sign(names), dayMs);
      expect(verified).toEqual({ status: "valid", payload: names });
    }));

  it.each([
    [{ secrets: [] }, /^secrets: got "none"/],
    [{ secrets: ["short"] }, /^secrets\[0\]: got "5 bytes"/],
    [{ secrets: [secret, "a".repeat(64)] }, /^secrets\[1\]: got "1 different characters"/],
    [{ secrets: [7] }, /^secrets\[0\]: got "number"/],
    [{ secrets: [secret], maxAgeMs: 0 }, /^maxAgeMs: got 0/],
  ])("refuse %j, and never tell a secret", (options, message) => {
    expect(() => tokens("any", options as never)).toThrow(message);
  });

  it("need a purpose, and an age where they are verified", () =>
    at((_, users) => {
      expect(() => tokens("", { secrets: [secret] })).toThrow(/^purpose: got /);
      expect(() => users.verify("x", Number.NaN)).toThrow(/^maxAgeMs: got NaN/);
    }));
});
