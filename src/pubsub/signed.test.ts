import { describe, expect, it } from "vitest";
import type { Runtime } from "../runtime/internal.ts";
import { seal, type Envelope } from "./envelope.ts";
import { Signed } from "./signed.ts";
import { unsigned } from "./unsigned.ts";

const [one, other] = [
  "one secret of more than 32 bytes, says",
  "other secret of more than 32 bytes, says",
];
let wallMs = 1_800_000_000_000;
const runtime = { wallNow: () => wallMs } as Runtime;
const node = (from: string, ...secrets: string[]): Signed => new Signed(secrets, from, runtime);
const said = (from: string, seq: number, more: Partial<Envelope> = {}): Envelope => ({
  from,
  seq,
  kind: "json",
  topic: "news",
  to: undefined,
  text: '"a\nü"',
  ...more,
});

describe("what nodes with a secret say to each other (R59)", () => {
  it("is believed once, in any order", () => {
    const [a, b] = [node("a", one), node("b", one)];
    const sent = [said("a", 1), said("a", 2, { to: "b" }), said("a", 3)];
    const texts = sent.map((envelope) => a.seal(envelope));
    expect([2, 0, 1].map((n) => b.open(texts[n]!))).toEqual([sent[2], sent[0], sent[1]]);
    expect(texts.map((text) => b.open(text))).toEqual(sent.map(() => "said before"));
  });

  it("is not believed when any character of it is another", () => {
    const [a, b] = [node("a", one), node("b", one)];
    const text = a.seal(said("a", 1));
    for (let at = 0; at < text.length; at++) {
      const damaged = `${text.slice(0, at)}${text[at] === "x" ? "y" : "x"}${text.slice(at + 1)}`;
      expect([damaged, typeof b.open(damaged)]).toEqual([damaged, "string"]);
    }
    expect(b.open(`${text} `)).toBe("signed with no secret of this node");
    expect(b.open(text)).toEqual(said("a", 1));
  });

  it("is not believed unsigned, with another secret, or for another purpose", () => {
    const b = node("b", one);
    const plain = seal(said("a", 1));
    expect(b.open(plain)).toBe("not signed");
    expect(b.open("")).toBe("not signed");
    expect(b.open(node("a", other).seal(said("a", 1)))).toBe("signed with no secret of this node");
    expect(unsigned.open(node("a", one).seal(said("a", 1)))).toBe(
      "signed, and this node has no secrets",
    );
    expect(unsigned.open(plain)).toEqual(said("a", 1));
  });

  it("is believed with any of the secrets, so that they can be changed without a pause", () => {
    const [old, both, fresh] = [[one], [other, one], [other]];
    const believes = (from: readonly string[], to: readonly string[]): boolean =>
      typeof node("b", ...to).open(node("a", ...from).seal(said("a", 1))) === "object";
    const early = [one, other];
    for (const [a, b] of [
      [old, early],
      [early, both],
      [both, fresh],
    ] as const)
      expect([believes(a, b), believes(b, a)]).toEqual([true, true]);
    expect(believes(old, fresh)).toBe(false);
  });

  it("is believed for a minute, before which and after which clocks do not agree", () => {
    const [a, b] = [node("a", one), node("b", one)];
    const texts = [1, 2, 3].map((seq) => a.seal(said("a", seq)));
    const stale = "signed more than 60000 ms ago or ahead";
    wallMs += 60_000;
    expect(b.open(texts[0]!)).toEqual(said("a", 1));
    wallMs += 1;
    expect([b.open(texts[0]!), b.open(texts[1]!)]).toEqual([stale, stale]);
    wallMs -= 120_002;
    expect(b.open(texts[2]!)).toBe(stale);
    wallMs += 1;
    expect(b.open(texts[2]!)).toEqual(said("a", 3));
  });

  it("comes back to its own node unproven, but for what that decides by", () => {
    const [a, b] = [node("a", one), node("b", other)];
    expect(a.open(b.seal(said("a", 1)))).toEqual(said("a", 1));
    const beat = said("a", 2, { kind: "~beat", topic: "" });
    expect(a.open(b.seal(beat))).toBe("signed with no secret of this node");
    const own = a.seal(beat);
    expect([a.open(own), a.open(own)]).toEqual([beat, "said before"]);
  });
});
