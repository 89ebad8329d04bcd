// What RFC 6455 says of frames, case by case, on a TCP connection: the list follows that of the Autobahn test suite.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { until } from "./support/clients.ts";
import { RawLine, close, frame, type FrameShape } from "./support/raw-line.ts";
import { served } from "./support/rooms.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const [MORE, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const;
const beat = '[null,"1","phoenix","heartbeat",{}]';
const bytes = (...list: readonly number[]): Uint8Array => Uint8Array.from(list);
const part: FrameShape = { fin: false };
/** A heartbeat whose payload holds these bytes as a JSON string. */
const holding = (...list: readonly number[]): Buffer =>
  Buffer.concat([
    Buffer.from('[null,"1","phoenix","heartbeat",{"x":"'),
    bytes(...list),
    Buffer.from('"}]'),
  ]);
/** The same text in pieces of so many bytes. */
const pieces = (text: Uint8Array, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
    frame(n === 0 ? TEXT : MORE, text.subarray(n * size, (n + 1) * size), {
      fin: (n + 1) * size >= text.length,
    }),
  );

/** Its name, what is sent, and what comes of it: a close with a code, so many replies, or pongs with these payloads. */
type Case = readonly [
  name: string,
  sent: readonly Buffer[],
  ends: number | { readonly replies?: number; readonly pongs?: readonly string[] },
];

const long = "x".repeat(125);
const valid = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999,
];
const invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

const cases: readonly Case[] = [
  // 1: framing.
  ["text of 125 bytes", [frame(TEXT, beat.padEnd(125))], { replies: 1 }],
  ["text of 126 bytes", [frame(TEXT, beat.padEnd(126))], { replies: 1 }],
  ["text of 65,535 bytes", [frame(TEXT, beat.padEnd(65_535))], { replies: 1 }],
  ["text of 65,536 bytes", [frame(TEXT, beat.padEnd(65_536))], { replies: 1 }],
  ["a length in more bytes than it needs", [frame(TEXT, beat, { lengthBytes: 8 })], { replies: 1 }],
  ["text without a byte", [frame(TEXT)], 1011],
  ["binary without a byte", [frame(BINARY)], 1011],
  ["unmasked text", [frame(TEXT, beat, { isMasked: false })], 1002],
  ["an unmasked ping", [frame(PING, "", { isMasked: false })], 1002],
  ["an unmasked close", [frame(CLOSE, bytes(3, 232), { isMasked: false })], 1002],
  // 2: pings and pongs.
  ["a ping without payload", [frame(PING)], { pongs: [""] }],
  ["a ping with text", [frame(PING, "marco")], { pongs: ["marco"] }],
  ["a ping of 125 bytes", [frame(PING, long)], { pongs: [long] }],
  ["a ping of 126 bytes", [frame(PING, `${long}x`)], 1002],
  [
    "a pong that nobody asked for",
    [frame(PONG, "x"), frame(TEXT, beat)],
    { replies: 1, pongs: [] },
  ],
  ["a pong of 126 bytes", [frame(PONG, `${long}x`)], 1002],
  ["pongs, then a ping", [frame(PONG), frame(PONG), frame(PING, "a")], { pongs: ["a"] }],
  [
    "ten pings at once",
    Array.from({ length: 10 }, (_, n) => frame(PING, `${n}`)),
    { pongs: Array.from({ length: 10 }, (_, n) => `${n}`) },
  ],
  // 3: reserved bits.
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): Case => [
    `text with reserved bits ${rsv}`,
    [frame(TEXT, beat, { rsv })],
    1002,
  ]),
  ...[1, 2, 4].map((rsv): Case => [
    `a ping with reserved bits ${rsv}`,
    [frame(PING, "", { rsv })],
    1002,
  ]),
  ["a close with a reserved bit", [frame(CLOSE, bytes(3, 232), { rsv: 1 })], 1002],
  // 4: reserved opcodes.
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Case => [
    `opcode ${opcode}`,
    [frame(opcode, "x")],
    1002,
  ]),
  ["opcode 3 behind a message", [frame(TEXT, beat), frame(3, "x")], 1002],
  // 5: fragments.
  ["a ping in two", [frame(PING, "a", part), frame(MORE, "b")], 1002],
  ["a pong in two", [frame(PONG, "a", part), frame(MORE, "b")], 1002],
  ["a close in two", [frame(CLOSE, bytes(3), part), frame(MORE, bytes(232))], 1002],
  ["text in two", pieces(Buffer.from(beat), 20), { replies: 1 }],
  ["text in many", pieces(Buffer.from(beat), 1), { replies: 1 }],
  [
    "text in three, the middle empty",
    [frame(TEXT, beat, part), frame(MORE, "", part), frame(MORE)],
    { replies: 1 },
  ],
  [
    "a ping between two fragments",
    [frame(TEXT, beat.slice(0, 9), part), frame(PING, "mid"), frame(MORE, beat.slice(9))],
    { replies: 1, pongs: ["mid"] },
  ],
  ["a continuation of nothing", [frame(MORE, beat)], 1002],
  ["a continuation of nothing, unfinished", [frame(MORE, beat, part)], 1002],
  ["a continuation behind a message", [frame(TEXT, beat), frame(MORE, beat)], 1002],
  ["text within text", [frame(TEXT, beat, part), frame(TEXT, beat)], 1002],
  ["binary within text", [frame(TEXT, beat, part), frame(BINARY, beat)], 1002],
  [
    "a reserved bit in a continuation",
    [frame(TEXT, beat, part), frame(MORE, "", { rsv: 1 })],
    1002,
  ],
  ["64 fragments", pieces(Buffer.from(beat.padEnd(64)), 1), { replies: 1 }],
  ["65 fragments", pieces(Buffer.from(beat.padEnd(65)), 1), 1008],
  // 6: UTF-8.
  [
    "text in scripts of the world",
    [frame(TEXT, holding(...Buffer.from("κόσμε 日本 🎈")))],
    { replies: 1 },
  ],
  [
    "a balloon, cut in each of its bytes",
    pieces(holding(0xf0, 0x9f, 0x8e, 0x88), 1),
    { replies: 1 },
  ],
  ["a sign cut by fragments, and never ended", pieces(holding(0xf0, 0x9f, 0x8e), 39), 1007],
  ["a byte that is never first", [frame(TEXT, holding(0x80))], 1007],
  ["half a sign", [frame(TEXT, holding(0xce))], 1007],
  ["an overlong slash", [frame(TEXT, holding(0xc0, 0xaf))], 1007],
  ["an overlong zero", [frame(TEXT, holding(0xe0, 0x80, 0x80))], 1007],
  ["half a surrogate pair", [frame(TEXT, holding(0xed, 0xa0, 0x80))], 1007],
  ["a sign beyond the last", [frame(TEXT, holding(0xf4, 0x90, 0x80, 0x80))], 1007],
  ["a form of five bytes", [frame(TEXT, holding(0xf8, 0x88, 0x80, 0x80, 0x80))], 1007],
  ["0xfe and 0xff", [frame(TEXT, holding(0xfe, 0xff))], 1007],
  ["what is no sign, but well formed", [frame(TEXT, holding(0xef, 0xbf, 0xbf))], { replies: 1 }],
  ["the last sign of all", [frame(TEXT, holding(0xf4, 0x8f, 0xbf, 0xbf))], { replies: 1 }],
  // 7: closes.
  ["a close without a payload", [frame(CLOSE)], 0],
  ["a close with half a code", [frame(CLOSE, bytes(3))], 1002],
  ["a close with a reason", [close(1000, "bye")], 1000],
  ["a close with a reason of 123 bytes", [close(1000, "x".repeat(123))], 1000],
  ["a close with a reason of 124 bytes", [close(1000, "x".repeat(124))], 1002],
  ["a close with a reason that is no text", [close(1000, bytes(0xce, 0xba, 0xe1, 0xff))], 1007],
  ["a message and a close", [frame(TEXT, beat), close(1000)], 1000],
  ["a close within a message", [frame(TEXT, beat, part), close(1000)], 1000],
  ["two closes", [close(1000), close(1001)], 1000],
  ["a ping behind a close", [close(1000), frame(PING, "x")], 1000],
  ...valid.map((code): Case => [`a close with ${code}`, [close(code)], code]),
  ...invalid.map((code): Case => [`a close with ${code}`, [close(code)], 1002]),
  // 9: sizes.
  ["a message of one byte too many", [frame(TEXT, beat.padEnd(65_537))], 1009],
  ["a message of 2^40 bytes, that are declared", [frame(BINARY, "x", { declared: 2 ** 40 })], 1009],
  ["a message of 2^60 bytes", [frame(BINARY, "x", { declared: 2 ** 60 })], 1009],
  ["one too large in the sum of its fragments", pieces(Buffer.alloc(80_000, 32), 20_000), 1009],
  ["a ping that declares 2^40 bytes", [frame(PING, "x", { declared: 2 ** 40 })], 1002],
];

/** Sends, and says what came of it in the words of the case. */
async function outcome(url: string, [, sent, ends]: Case): Promise<Case[2]> {
  await using line = await RawLine.open(url);
  line.send(...sent);
  if (typeof ends === "number") return (await line.closed()) ?? -1;
  // Behind what was sent: when it is answered, all before it is.
  line.send(frame(TEXT, '[null,"last","phoenix","heartbeat",{}]'));
  await until(() => line.isEnded || line.texts.some((text) => text.includes('"last"')));
  if (line.isEnded) return (await line.closed()) ?? -1;
  const { replies, pongs } = ends;
  return {
    ...(replies !== undefined && { replies: line.texts.length - 1 }),
    ...(pongs !== undefined && { pongs: line.pongs }),
  };
}

describe("frames that a client sends (R61, R65)", () => {
  it(`are handled as RFC 6455 says, in ${cases.length} cases, and nobody else notices`, () =>
    served(async ({ url }) => {
      await using other = await RawLine.open(url);
      const wrong: unknown[] = [];
      for (const one of cases) {
        const got = await outcome(url, one);
        if (JSON.stringify(got) !== JSON.stringify(one[2]))
          wrong.push({ name: one[0], got, expected: one[2] });
      }
      score(
        "R61",
        "cases of frames that pass",
        `${cases.length - wrong.length} of ${cases.length}`,
      );
      expect(wrong).toEqual([]);
      expect(cases.length).toBeGreaterThanOrEqual(90);
      other.send(frame(TEXT, beat));
      await until(() => other.texts.length === 1);
    }));
});

describe("a message that hides its size", () => {
  const heldBytes = (): number => {
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };

  it("in 16,000 fragments of one byte is closed with 1008, and holds next to nothing (R64)", () =>
    served(async ({ url }) => {
      const pieces = Buffer.concat([
        frame(TEXT, "[", part),
        ...Array.from({ length: 16_000 }, () => frame(MORE, " ", part)),
      ]);
      const before = heldBytes();
      const lines: RawLine[] = [];
      for (let n = 0; n < 20; n++) {
        const line = await RawLine.open(url);
        lines.push(line);
        line.send(pieces);
        expect(await line.closed()).toBe(1008);
      }
      const held = (heldBytes() - before) / (20 * pieces.length);
      score("R64", "bytes held per byte sent in tiny fragments", held.toFixed(2));
      // A parser that keeps a slice for each holds 17.
      expect(held).toBeLessThan(4);
      for (const line of lines) await line[Symbol.asyncDispose]();
    }));

  it("that is declared or compressed is refused before it takes memory (R65)", () =>
    served(async ({ url }) => {
      const before = process.memoryUsage().rss;
      // A megabyte of zeros as deflate writes it, where no compression was agreed on: the bit that says so is reserved.
      const bomb = deflateRawSync(Buffer.alloc(1_048_576));
      for (let n = 0; n < 50; n++) {
        await using compressed = await RawLine.open(url);
        compressed.send(frame(TEXT, bomb, { rsv: 4 }));
        expect(await compressed.closed()).toBe(1002);
        await using declared = await RawLine.open(url);
        declared.send(frame(BINARY, "x", { declared: 2 ** 40 }));
        expect(await declared.closed()).toBe(1009);
      }
      const grownMb = (process.memoryUsage().rss - before) / 1_048_576;
      score("R65", "MB that 100 oversize messages add", grownMb.toFixed(1));
      expect(grownMb).toBeLessThan(60);
    }));
});
