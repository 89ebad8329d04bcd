import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(
  text: string | Uint8Array,
  cuts: readonly number[] = [],
  maxLineBytes?: number,
): { lines: string[]; cut: number } {
  const bytes = Buffer.from(text as string);
  const splitter = new LineSplitter(maxLineBytes === undefined ? {} : { maxLineBytes });
  const lines: string[] = [];
  let from = 0;
  for (const to of [
    ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b),
    bytes.length,
  ]) {
    // The chunk is overwritten afterwards, as a reused buffer would be.
    const chunk = Uint8Array.prototype.slice.call(bytes, from, to);
    lines.push(...splitter.push(chunk));
    chunk.fill(0x21);
    from = to;
  }
  lines.push(...splitter.end());
  return { lines, cut: splitter.cutLines };
}

describe("LineSplitter", () => {
  it("takes the ends off, \\n and \\r\\n, and keeps empty lines and single \\r", () => {
    expect(split("a\nb\r\n\n\r\nc\rd\n\r\r\n").lines).toEqual(["a", "b", "", "", "c\rd", "\r"]);
  });

  it("gives the last line also without an end, and none after an end", () => {
    expect(split("a\nb").lines).toEqual(["a", "b"]);
    expect(split("a\n").lines).toEqual(["a"]);
    expect(split("").lines).toEqual([]);
  });

  it("gives the same lines wherever the chunks are cut, also inside characters", () => {
    const text = fc
      .array(fc.constantFrom("\n", "\r\n", "a", "é", "日本", "🙂", " "), { maxLength: 40 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.array(fc.nat(120)), (whole, cuts) => {
        const expected = whole.replace(/\r?\n$/, "").split(/\r?\n/);
        expect(split(whole, cuts).lines).toEqual(whole === "" ? [] : expected);
      }),
    );
  });

  it("replaces bytes that are not UTF-8 and goes on", () => {
    expect(split(Uint8Array.of(0x61, 0xff, 0x0a, 0x62)).lines).toEqual(["a\u{fffd}", "b"]);
  });

  it("cuts a line that is too long, at the border of a character, counts it, and keeps the number of lines", () => {
    const whole = "aaaaa\naaaaaé\nb\n";
    for (let cut = 0; cut < whole.length + 1; cut++) {
      expect(split(whole, [cut], 6)).toEqual({ lines: ["aaaaa", "aaaaa", "b"], cut: 1 });
    }
    expect(split("123456\n1234567", [], 6)).toEqual({ lines: ["123456", "123456"], cut: 1 });
  });

  it("holds no more of an endless line than its limit", () => {
    const splitter = new LineSplitter({ maxLineBytes: 1_000 });
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000; i++) expect(splitter.push(Buffer.alloc(100_000, 0x61))).toEqual([]);
    expect(splitter.push(Buffer.from("\nb\n"))).toEqual(["a".repeat(1_000), "b"]);
    expect(splitter.cutLines).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000);
  });
});
