import { once } from "node:events";
import type { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import { FrameReader, type FrameLimits } from "./frame-reader.ts";

/** What is heard; of texts and reasons their bytes. */
type Heard = readonly [event: string, ...(string | number | undefined)[]];

const limits: FrameLimits = { maxFrameBytes: 300, maxFragments: 4, maxBufferedChunks: 40 };

function read(chunks: readonly Buffer[], within = limits): Heard[] {
  const heard: Heard[] = [];
  const reader = new FrameReader(within, {
    text: (text, bytes) => {
      expect(Buffer.byteLength(text)).toBe(bytes);
      heard.push(["text", Buffer.from(text).toString("hex")]);
    },
    binary: (bytes) => heard.push(["binary", bytes.toString("hex")]),
    ping: (payload) => heard.push(["ping", payload.toString("hex")]),
    ended: (code, reason) => heard.push(["ended", code, reason.toString("hex")]),
    faulty: (code) => heard.push(["faulty", code]),
  });
  for (const chunk of chunks) reader.read(Buffer.from(chunk));
  return heard;
}

// The parser of `ws`, which its types leave out.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };
const codes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

async function readByWs(chunks: readonly Buffer[]): Promise<Heard[]> {
  const heard: Heard[] = [];
  const receiver = new Receiver({
    isServer: true,
    maxPayload: limits.maxFrameBytes,
    maxFragments: limits.maxFragments,
    maxBufferedChunks: limits.maxBufferedChunks,
  });
  receiver.on("message", (data: Buffer, isBinary: boolean) =>
    heard.push([isBinary ? "binary" : "text", data.toString("hex")]),
  );
  receiver.on("ping", (data: Buffer) => heard.push(["ping", data.toString("hex")]));
  receiver.on("conclude", (code: number, reason: Buffer) =>
    heard.push(["ended", code === 1005 ? undefined : code, reason.toString("hex")]),
  );
  receiver.on("error", (error: Error & { readonly code: string }) =>
    heard.push(["faulty", codes[error.code] ?? 1002]),
  );
  for (const chunk of chunks)
    if (!receiver.destroyed && !receiver.writableEnded) receiver.write(Buffer.from(chunk));
  if (receiver.errored === null && !receiver.destroyed) {
    receiver.end();
    if (!receiver.closed) await once(receiver, "close");
  } else await new Promise(setImmediate);
  return heard;
}

/** One frame, right or wrong; what `declared` says stands in the header, whatever follows. */
interface Shape {
  readonly first: number;
  readonly isMasked: boolean;
  readonly lengthBytes: 0 | 2 | 8;
  readonly mask: number;
  readonly payload: Uint8Array;
}

function frameOf({ first, isMasked, lengthBytes, mask, payload }: Shape): Buffer {
  const { length } = payload;
  const size = lengthBytes > 0 ? lengthBytes : length < 126 ? 0 : 2;
  const head = Buffer.alloc(2 + size + (isMasked ? 4 : 0));
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (isMasked) head.writeInt32BE(mask, 2 + size);
  const key = head.subarray(2 + size);
  return Buffer.concat([head, payload.map((byte, at) => byte ^ (isMasked ? key[at & 3]! : 0))]);
}

const usually = <T>(value: T, otherwise: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(value), weight: 30 }, { arbitrary: otherwise, weight: 1 });

const payload = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.string({ unit: "grapheme", minLength: 60, maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 130 }),
  // A code, and a reason.
  fc
    .tuple(fc.oneof(fc.constantFrom(1000, 1005, 3000), fc.nat(0xffff)), fc.string())
    .map(([code, text]) => Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(text)])),
);
const shape: fc.Arbitrary<Shape> = fc.record({
  first: fc.oneof(
    { arbitrary: fc.constantFrom(0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a), weight: 30 },
    { arbitrary: fc.constant(0x88), weight: 2 },
    { arbitrary: fc.nat(0xff), weight: 1 },
  ),
  isMasked: usually(true, fc.constant(false)),
  lengthBytes: usually<0 | 2 | 8>(0, fc.constantFrom(2, 8)),
  mask: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  payload,
});

/** The bytes in pieces that end where they will. */
function cut(bytes: Buffer, ends: readonly number[]): Buffer[] {
  const places = ends.map((end) => end % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...places]
    .map((start, at) => bytes.subarray(start, places[at] ?? bytes.length))
    .filter(({ length }) => length > 0);
}

describe("FrameReader", () => {
  it("hears what the parser of `ws` hears, of any frames in any pieces (R61, R65)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(shape, { maxLength: 12 }),
        fc.array(fc.nat(4_000), { maxLength: 30 }),
        fc.nat(20),
        async (shapes, ends, missing) => {
          const bytes = Buffer.concat(shapes.map(frameOf));
          const chunks = cut(bytes.subarray(0, Math.max(0, bytes.length - missing)), ends);
          expect(read(chunks)).toEqual(await readByWs(chunks));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("hears the same of bytes that are no frames, and never throws (R61)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.array(fc.nat(60), { maxLength: 8 }),
        async (bytes, ends) => {
          const chunks = cut(Buffer.from(bytes), ends);
          const heard = read(chunks);
          const expected = await readByWs(chunks);
          // It looks at a length when the mask behind it has come, or it is over the limit.
          expect(heard.length === 0 ? [] : expected).toEqual(heard);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("gives up on a frame in too many chunks, and keeps nothing of it (R64)", () => {
    const frame = frameOf({
      first: 0x81,
      isMasked: true,
      lengthBytes: 0,
      mask: 7,
      payload: Buffer.from("x".repeat(60)),
    });
    const bytewise = cut(
      frame,
      Array.from({ length: frame.length }, (_, at) => at),
    );
    expect(read(bytewise, { ...limits, maxBufferedChunks: 66 })).toEqual([
      ["text", "78".repeat(60)],
    ]);
    expect(read([...bytewise.slice(0, 59), frame, frame])).toEqual([["faulty", 1008]]);
  });
});
