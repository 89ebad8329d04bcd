import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readOffer, withoutToken } from "./auth-token.ts";
import { defaultLimits } from "../limits.ts";

const prefix = "base64url.bearer.phx.";
/** As the stock client does. */
const offer = (token: string): string => `phoenix, ${prefix}${btoa(token).replaceAll("=", "")}`;
const read = (header: string | undefined): string | undefined => {
  const result = readOffer(header, defaultLimits);
  return result.kind === "offer" ? result.authToken : `refused: ${result.reason}`;
};

describe("readOffer (L51, L66, L130)", () => {
  it("gives the token of the stock client back, whatever it is", () => {
    const bytes = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
    });
    fc.assert(
      fc.property(bytes, (token) => {
        expect(read(offer(token))).toBe(token);
      }),
    );
    expect(read(`${prefix}-_-_, phoenix`)).toBe(atob("+/+/"));
  });

  it("takes no header, and `phoenix` among others; refuses others without it", () => {
    for (const header of [undefined, "phoenix", "a, phoenix", "phoenix,b"])
      expect(read(header)).toBeUndefined();
    expect(read(`${prefix}YQ`)).toBe("a");
    for (const header of ["graphql-ws", "Phoenix", "", `x, ${prefix}YQ`])
      expect(read(header)).toBe("refused: sub-protocols without `phoenix`");
  });

  it("refuses what cannot be decoded, two tokens, and more than 4 KiB", () => {
    for (const bad of ["a", "%%%", "YQ==", "a b", "Y\u00e9"])
      expect([bad, read(`phoenix, ${prefix}${bad}`)]).toEqual([
        bad,
        "refused: an auth token that is no base64",
      ]);
    expect(read(`phoenix, ${prefix}YQ, ${prefix}YQ`)).toBe("refused: more than one auth token");
    expect(read(offer("x".repeat(4_096)))).toBe("x".repeat(4_096));
    expect(read(offer("x".repeat(4_097)))).toBe("refused: an auth token over 4096 bytes");
    expect(read(offer("x".repeat(9_000)))).toBe("refused: an auth token over 4096 bytes");
  });

  it("gives a value for any header", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const header of [text, prefix + text, `phoenix, ${prefix}${text}`])
          expect(["offer", "refused"]).toContain(readOffer(header, defaultLimits).kind);
      }),
    );
  });
});

describe("withoutToken", () => {
  it("leaves what others may see", () => {
    expect(withoutToken(offer("secret"))).toBe("phoenix");
    expect(withoutToken(`${prefix}YQ`)).toBeUndefined();
    expect(withoutToken("a,b")).toBe("a, b");
    expect(withoutToken(undefined)).toBeUndefined();
  });
});
