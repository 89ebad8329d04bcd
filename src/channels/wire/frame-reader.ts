// WebSocket frames of a client (RFC 6455 §5): masked, in whatever pieces the network hands over. Values in, values out, no
// I/O; whatever comes gives messages, an end or a fault, and never throws.
import { isUtf8 } from "node:buffer";
import type { Limits } from "../limits.ts";
import type { CloseCode } from "./frame.ts";

/** Who hears what a client sends. The bytes it is handed are its own: nobody changes them. */
export interface FrameHearer {
  text(text: string, bytes: number): void;
  binary(bytes: Buffer): void;
  ping(payload: Buffer): void;
  /** The client ends the connection: with a code of its own, or none. Nothing follows. */
  ended(code: number | undefined, reason: Buffer): void;
  /** What came broke the protocol or a limit. Nothing follows. */
  faulty(code: CloseCode, reason: string): void;
}

/** The limits on what a client sends. */
export type FrameLimits = Pick<Limits, "maxFrameBytes" | "maxFragments" | "maxBufferedChunks">;

/** A frame that has not come as a whole. */
interface Partial {
  readonly chunks: Buffer[];
  bytes: number;
  /** As many bytes have to be there before it is worth another look. */
  readonly needed: number;
}

/** A message whose last fragment has not come. */
interface Fragmented {
  readonly opcode: number;
  readonly parts: Buffer[];
  bytes: number;
  fragments: number;
}

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const maxControlBytes = 125;
const maskBytes = 4;

/** Reads the frames of one client. One that is at rest holds nothing. */
export class FrameReader {
  readonly #limits: FrameLimits;
  readonly #hearer: FrameHearer;
  #partial: Partial | undefined = undefined;
  #fragmented: Fragmented | undefined = undefined;
  #isOver = false;

  constructor(limits: FrameLimits, hearer: FrameHearer) {
    this.#limits = limits;
    this.#hearer = hearer;
  }

  /** What came next. The reader owns it from now on. */
  read(chunk: Buffer): void {
    const bytes = this.#gathered(chunk);
    if (bytes === undefined) return;
    for (let at = 0; at < bytes.length && !this.#isOver;) {
      const end = this.#frame(bytes, at);
      if (end > bytes.length) {
        const rest = at === 0 ? bytes : bytes.subarray(at);
        this.#partial = { chunks: [rest], bytes: rest.length, needed: end - at };
      }
      at = end;
    }
  }

  /** The chunk behind what waits for it; nothing when more is needed. */
  #gathered(chunk: Buffer): Buffer | undefined {
    const partial = this.#partial;
    if (partial === undefined || this.#isOver) return chunk;
    if (partial.chunks.length >= this.#limits.maxBufferedChunks)
      return this.#fail(1008, "a frame in too many chunks");
    partial.chunks.push(chunk);
    partial.bytes += chunk.length;
    if (partial.bytes < partial.needed) return undefined;
    this.#partial = undefined;
    return Buffer.concat(partial.chunks, partial.bytes);
  }

  /** Handles the frame that begins at `at`. @returns where it ends; beyond the bytes, when it is not there as a whole */
  #frame(bytes: Buffer, at: number): number {
    if (bytes.length < at + 2) return at + 2;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const fault = this.#faultOf(first, second);
    if (fault !== undefined) return this.#fail(1002, fault) ?? bytes.length;
    const short = second & 0x7f;
    const head = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (bytes.length < head) return head;
    const length = short < 126 ? short : lengthAt(bytes, at + 2, head);
    const opcode = first & 0x0f;
    if (opcode < CLOSE && length + (this.#fragmented?.bytes ?? 0) > this.#limits.maxFrameBytes)
      return this.#fail(1009, "a message over the limit") ?? bytes.length;
    const start = head + maskBytes;
    const end = start + length;
    if (bytes.length < end) return end;
    unmask(bytes, start, end, bytes.readInt32BE(head));
    const isFinal = (first & 0x80) !== 0;
    // Nearly all that comes.
    if (opcode === TEXT && isFinal) this.#text(bytes, start, end);
    else if (opcode >= CLOSE) this.#control(opcode, bytes.subarray(start, end));
    else this.#data(opcode, isFinal, bytes.subarray(start, end));
    return end;
  }

  /** What is wrong with a frame whose first two bytes are these, where it stands. */
  #faultOf(first: number, second: number): string | undefined {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) return "a reserved bit";
    if (opcode === CLOSE || opcode === PING || opcode === PONG) {
      const length = second & 0x7f;
      if ((first & 0x80) === 0) return "a control frame in fragments";
      if (length > maxControlBytes || (opcode === CLOSE && length === 1))
        return "a control frame of a length that none has";
    } else if (opcode === CONTINUATION) {
      if (this.#fragmented === undefined) return "a continuation of nothing";
    } else if (opcode !== TEXT && opcode !== BINARY) return "a reserved opcode";
    else if (this.#fragmented !== undefined) return "a message within another";
    return (second & 0x80) === 0 ? "a frame without a mask" : undefined;
  }

  #data(opcode: number, isFinal: boolean, payload: Buffer): void {
    const begun = this.#fragmented;
    if (begun === undefined && isFinal) return this.#message(opcode, payload);
    const message = begun ?? { opcode, parts: [], bytes: 0, fragments: 0 };
    if (++message.fragments > this.#limits.maxFragments)
      return this.#fail(1008, "a message in too many fragments");
    message.parts.push(payload);
    message.bytes += payload.length;
    this.#fragmented = isFinal ? undefined : message;
    if (isFinal) this.#message(message.opcode, Buffer.concat(message.parts, message.bytes));
  }

  #message(opcode: number, payload: Buffer): void {
    if (opcode === BINARY) this.#hearer.binary(payload);
    else this.#text(payload, 0, payload.length);
  }

  #text(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("utf8", start, end);
    // What is no UTF-8 is read as this; a client may also have sent it.
    if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end)))
      this.#fail(1007, "text that is no UTF-8");
    else this.#hearer.text(text, end - start);
  }

  #control(opcode: number, payload: Buffer): void {
    if (opcode === PING) return this.#hearer.ping(payload);
    if (opcode === PONG) return undefined;
    const code = payload.length === 0 ? undefined : payload.readUInt16BE(0);
    const reason = payload.subarray(2);
    if (code !== undefined && !isCloseCode(code)) return this.#fail(1002, "a close with no code");
    if (!isUtf8(reason)) return this.#fail(1007, "a reason that is no UTF-8");
    this.#end();
    return this.#hearer.ended(code, reason);
  }

  #fail(code: CloseCode, reason: string): undefined {
    this.#end();
    this.#hearer.faulty(code, reason);
  }

  /** Of what has come nothing is kept. */
  #end(): void {
    this.#isOver = true;
    this.#partial = this.#fragmented = undefined;
  }
}

/** The length that stands between two places; what is too long to be counted is longer than any limit. */
function lengthAt(bytes: Buffer, at: number, end: number): number {
  return end - at === 2 ? bytes.readUInt16BE(at) : Number(bytes.readBigUInt64BE(at));
}

function unmask(bytes: Buffer, start: number, end: number, mask: number): void {
  if (mask === 0) return;
  for (let at = start; at < end; at++) bytes[at]! ^= mask >>> (24 - ((at - start) & 3) * 8);
}

/** May a client close with it (RFC 6455 §7.4)? */
function isCloseCode(code: number): boolean {
  if (code < 3_000) return code >= 1_000 && code <= 1_014 && (code < 1_004 || code > 1_006);
  return code <= 4_999;
}
