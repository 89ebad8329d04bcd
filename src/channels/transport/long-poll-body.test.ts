import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBatch, readPost, type Posted } from "./long-poll-body.ts";
import { defaultLimits } from "../limits.ts";

function read(body: string | Buffer, batch = true): { messages: Posted[]; more: boolean } {
  const messages: Posted[] = [];
  const reading = readPost(Buffer.from(body), batch, defaultLimits);
  for (let next = reading.next(); ; next = reading.next()) {
    if (next.done === true) return { messages, more: next.value };
    messages.push(next.value);
  }
}
const texts = (body: string): (string | undefined)[] =>
  read(body).messages.map((message) => ("text" in message ? message.text : message.kind));

describe("readPost", () => {
  it("reads a batch line by line, whatever ends them; blank ones are none (L37, R80)", () => {
    expect(texts("[1]\n[2]\r\n\n \r\n[3]\n")).toEqual(["[1]", "[2]", "[3]"]);
    expect(texts("\n")).toEqual([]);
    expect(texts("")).toEqual([]);
  });

  it("reads a line that begins like no JSON as bytes in base64 (L37)", () => {
    const [message] = read("AAEC/w==").messages;
    expect(message).toEqual({ kind: "binary", data: Buffer.from([0, 1, 2, 255]) });
    for (const line of ["AAE", "AA=A", "-_-_", "####", "AAEC/w==="])
      expect(read(line).messages[0]).toMatchObject({ kind: "broken", code: 1011 });
  });

  it("reads the first hundred of a batch, and says that there were more (L40)", () => {
    const lines = Array.from({ length: 101 }, (_, at) => `[${at}]`);
    const { messages, more } = read(lines.join("\n"));
    expect(messages.map((message) => "text" in message && message.text)).toEqual(
      lines.slice(0, 100),
    );
    expect(more).toBe(true);
    expect(read(lines.slice(1).join("\n\n")).more).toBe(false);
  });

  it("reads anything else as one message (L48)", () => {
    expect(read("[1]\n", false).messages).toEqual([{ kind: "text", text: "[1]\n", bytes: 4 }]);
    expect(read(" \n", false).messages).toEqual([]);
    for (const [type, is] of [
      ["application/x-ndjson", true],
      ["Application/X-NDJSON; charset=utf-8", true],
      ["application/json", false],
      ["", false],
      [undefined, false],
    ] as const)
      expect(isBatch(type)).toBe(is);
  });

  it("takes no message over the limit of a frame, in bytes, and no text that is no UTF-8", () => {
    const é = "é".repeat(defaultLimits.maxFrameBytes / 2);
    expect(read(`["${é}"]`).messages).toEqual([
      { kind: "broken", code: 1009, reason: "a message over 65536 bytes" },
    ]);
    const tooMany = Buffer.alloc(defaultLimits.maxFrameBytes + 3).toString("base64");
    expect(read(tooMany).messages[0]).toMatchObject({ kind: "broken", code: 1009 });
    expect(read(Buffer.from([0x5b, 0xff, 0x5d])).messages[0]).toMatchObject({ code: 1007 });
  });

  it("makes something of everything, and does little for a body of blank lines (R80)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, batch) => {
        for (const message of read(Buffer.from(bytes), batch).messages)
          expect(["text", "binary", "broken"]).toContain(message.kind);
      }),
    );
    const before = process.memoryUsage().arrayBuffers;
    expect(read("\n".repeat(8 * 1_024 * 1_024))).toEqual({ messages: [], more: false });
    // The body, and a copy of it: no line of it.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1_024 * 1_024);
  });
});
