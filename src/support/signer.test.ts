import { property, assert, string, nat } from "fast-check";
import { describe, expect, it } from "vitest";
import { isLoopback } from "./loopback.ts";
import { checkSecrets } from "./secrets.ts";
import { Signer, proofLength } from "./signer.ts";

const [one, other] = [
  "one secret of more than 32 bytes, says",
  "other secret of more than 32 bytes, says",
];

describe("Signer", () => {
  it("believes what any of its secrets has signed, and nothing else (R59)", () => {
    const [old, both, fresh] = [[one], [other, one], [other]].map(
      (secrets) => new Signer(secrets, "a"),
    ) as [Signer, Signer, Signer];
    const proof = old.sign("text");
    expect(proof).toMatch(/^[\w-]+$/);
    expect(proof.length).toBe(proofLength);
    expect([old, both, fresh].map((signer) => signer.verifies(proof, "text"))).toEqual([
      true,
      true,
      false,
    ]);
    expect(fresh.verifies(both.sign("text"), "text")).toBe(true);
    expect(new Signer([one], "b").verifies(proof, "text")).toBe(false);
  });

  it("is total: whatever is given for a proof, it is none, unless it is the proof (R59)", () => {
    const signer = new Signer([one], "a");
    assert(
      property(string(), string(), nat(proofLength - 1), (said, garbage, at) => {
        const text = `${said}\n\0ü\u{1f600}`;
        const proof = signer.sign(text);
        const other = (letter: string): string => proof.slice(0, at) + letter + proof.slice(at + 1);
        const given: readonly (readonly [string, string])[] = [
          [proof, text],
          [garbage, text],
          [proof, `${text}x`],
          [other(proof[at] === "A" ? "B" : "A"), text],
          [other("ü"), text],
        ];
        expect(given.map(([one, of]) => signer.verifies(one, of))).toEqual([
          true,
          false,
          false,
          false,
          false,
        ]);
      }),
    );
  });
});

describe("checkSecrets", () => {
  it.each([
    ["a secret", "secrets: got"],
    [[], 'secrets: got "none"'],
    [["x".repeat(31)], 'secrets[0]: got "31 bytes"'],
    [[one, "ab".repeat(40)], 'secrets[1]: got "2 different characters"'],
    [[one, 7], 'secrets[1]: got "number"'],
  ])("refuses what can be guessed, and does not show it: %j", (secrets, message) => {
    expect(() => checkSecrets(secrets)).toThrow(message);
    expect(() => checkSecrets(secrets)).not.toThrow(/xxx|abab/);
  });
});

describe("isLoopback", () => {
  it.each([
    [["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"], true],
    [["", "0.0.0.0", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "redis"], false],
  ])("knows this machine's own names: %j is %s", (hosts, is) => {
    expect(hosts.map(isLoopback)).toEqual(hosts.map(() => is));
  });
});
