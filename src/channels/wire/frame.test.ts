import type { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import {
  asBytes,
  closeFrame,
  frameForOne,
  pingFrame,
  pongFrame,
  readFrames,
  textFrame,
} from "./frame.ts";

// The parser of `ws` in the client's role and its writer, which its types leave out.
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

type Heard = { readonly event: string; readonly text: string; readonly code?: number };

/** What the client's parser makes of the bytes: text, pings, pongs and the close, or the error it found. */
function hear(...frames: readonly Buffer[]): Heard[] {
  const heard: Heard[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on("message", (data: Buffer, isBinary: boolean) =>
    heard.push({ event: isBinary ? "binary" : "text", text: data.toString() }),
  );
  receiver.on("ping", (data: Buffer) => heard.push({ event: "ping", text: data.toString() }));
  receiver.on("pong", (data: Buffer) => heard.push({ event: "pong", text: data.toString() }));
  receiver.on("conclude", (code: number, reason: Buffer) =>
    heard.push({ event: "close", code, text: reason.toString() }),
  );
  receiver.on("error", (error: Error) => heard.push({ event: "error", text: error.message }));
  for (const frame of frames) receiver.write(frame);
  return heard;
}

describe("frameForOne", () => {
  it.each([0, 1, 125, 126, 4_096, 4_097, 70_000])(
    "writes the same bytes of %i letters as a text frame, be they ASCII or not",
    (letters) => {
      for (const letter of [
        "x",
        "\u0000",
        "\u007f",
        "\u0080",
        "é",
        "€",
        "\ud83d\ude00",
        "\ud83d",
      ]) {
        const text = letter.repeat(letters);
        const frame = frameForOne(text);
        expect(asBytes(frame).equals(textFrame(text))).toBe(true);
        // What limits count are bytes.
        expect(frame.length).toBe(textFrame(text).length);
      }
    },
  );

  it("becomes bytes that keep nothing else alive", () => {
    expect(asBytes(frameForOne("[1]")).buffer.byteLength).toBe(5);
  });

  it("is a string for short ASCII alone, which needs no buffer", () => {
    expect(frameForOne("[1]")).toBe("\u0081\u0003[1]");
    for (const wire of ["é", "x".repeat(5_000), new Uint8Array([1])])
      expect(Buffer.isBuffer(frameForOne(wire))).toBe(true);
  });
});

describe("textFrame", () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [1_048_576, [0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]],
  ])(
    "writes the shortest header for %i bytes, unmasked, and the client reads the text",
    (bytes, header) => {
      const text = "x".repeat(bytes);
      const frame = textFrame(text);
      expect([...frame.subarray(0, header.length)]).toEqual(header);
      expect(frame.length).toBe(header.length + bytes);
      expect(hear(frame)).toEqual([{ event: "text", text }]);
    },
  );

  it("carries any text, in frames that follow each other in one stream", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.nat(70_000).map((length) => "é".repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        expect(hear(Buffer.concat(texts.map(textFrame)))).toEqual(
          texts.map((text) => ({ event: "text", text })),
        );
      }),
    );
  });

  it("turns half a surrogate pair into valid UTF-8 instead of a frame the client would close over", () => {
    expect(hear(textFrame("a\ud800b"))).toEqual([{ event: "text", text: "a\ufffdb" }]);
  });

  it("owns its memory: a frame that waits keeps nothing else alive", () => {
    const frame = textFrame("short");
    expect(frame.buffer.byteLength).toBe(frame.length);
  });
});

describe("closeFrame", () => {
  it.each([1001, 1008, 1009, 1011, 1012, 4008] as const)("says %i and why", (code) => {
    expect(hear(closeFrame(code, "slow consumer"))).toEqual([
      { event: "close", code, text: "slow consumer" },
    ]);
  });

  it("may say nothing", () => {
    expect([...closeFrame(1012)]).toEqual([0x88, 2, 0x03, 0xf4]);
    expect(hear(closeFrame(1012))).toEqual([{ event: "close", code: 1012, text: "" }]);
  });

  it("cuts a reason at 123 bytes, never inside a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (reason) => {
        const [close, ...rest] = hear(closeFrame(4008, reason));
        expect(rest).toEqual([]);
        expect(close?.event).toBe("close");
        expect(reason.startsWith(close!.text)).toBe(true);
        expect(Buffer.byteLength(close!.text)).toBeLessThanOrEqual(123);
        if (Buffer.byteLength(reason) <= 123) expect(close!.text).toBe(reason);
      }),
    );
    expect(closeFrame(4008, "é".repeat(100)).length).toBe(2 + 2 + 122);
  });
});

describe("pingFrame and pongFrame", () => {
  it("carry up to 125 bytes", () => {
    const payload = Buffer.from("p".repeat(125));
    expect(hear(pingFrame(), pingFrame(payload), pongFrame(payload))).toEqual([
      { event: "ping", text: "" },
      { event: "ping", text: payload.toString() },
      { event: "pong", text: payload.toString() },
    ]);
    expect(pongFrame(Buffer.alloc(200)).length).toBe(127);
  });
});

describe("readFrames", () => {
  it("takes a run of frames apart, of all sizes and kinds, without a copy", () => {
    const opcodes = { text: 1, binary: 2, control: 10 };
    const made = [
      ["text", 0],
      ["text", 125],
      ["binary", 126],
      ["control", 9],
      ["text", 65_535],
      ["binary", 65_536],
    ] as const;
    const run = Buffer.concat(
      made.flatMap(([kind, bytes], at) =>
        Sender.frame(Buffer.alloc(bytes, 97 + at), { fin: true, opcode: opcodes[kind] }),
      ),
    );
    const read = [...readFrames(run)];
    expect(read.map(({ kind, payload }) => [kind, payload.length])).toEqual(made);
    for (const [at, { payload }] of read.entries()) {
      expect(payload.every((byte) => byte === 97 + at)).toBe(true);
      expect(payload.buffer).toBe(run.buffer);
    }
    expect([...readFrames(Buffer.alloc(0))]).toEqual([]);
  });
});
