// WebSocket frames of a server (RFC 6455 §5.2): final, unmasked, header and payload in one buffer, so that a broadcast
// is framed once, every socket writes the same buffer, and nobody changes it afterwards.

/** Why a socket is closed; numbers from 4000 are Sluice's own, and 1000 is none, because some clients stay away after it. */
export type CloseCode =
  /** Going away: disconnected by id, or silent for too long. */
  | 1001
  /** A frame broke the protocol. */
  | 1002
  /** Text that is no UTF-8. */
  | 1007
  /** A limit was overstepped again and again. */
  | 1008
  /** A message was too big. */
  | 1009
  /** A message could not be decoded. */
  | 1011
  /** The server restarts; come back. */
  | 1012
  /** Connected, and joined nothing in time. */
  | 4001
  /** No longer authorised. */
  | 4003
  /** Slow consumer: more bytes waited than are kept for one client. */
  | 4008;

const FINAL = 0x80;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const MAX_CONTROL_BYTES = 125;

/**
 * Frames as a line is handed them: bytes, for any number of sockets, or for one of them a string with a letter for each byte
 * ("latin1"), which needs no memory of its own on its way to the kernel.
 */
export type Frames = Buffer | string;

/** Of longer texts the making of a buffer is the least. */
const mostLetters = 4_096;

/** Frames a text, for any number of sockets. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = openFrame(TEXT, bytes);
  frame.write(text, frame.length - bytes);
  return frame;
}

/** Frames bytes, for any number of sockets. */
function binaryFrame(data: Uint8Array): Buffer {
  const frame = openFrame(BINARY, data.length);
  frame.set(data, frame.length - data.length);
  return frame;
}

/** Frames a message as a serializer wrote it. */
export function messageFrame(wire: string | Uint8Array): Buffer {
  return typeof wire === "string" ? textFrame(wire) : binaryFrame(wire);
}

/** Frames a message as a serializer wrote it, for one socket. */
export function frameForOne(wire: string | Uint8Array): Frames {
  if (typeof wire !== "string" || wire.length > mostLetters) return messageFrame(wire);
  const bytes = Buffer.byteLength(wire);
  // Only ASCII has as many bytes as letters.
  if (bytes > wire.length) return textFrame(wire);
  const header =
    bytes < 126
      ? String.fromCharCode(FINAL | TEXT, bytes)
      : String.fromCharCode(FINAL | TEXT, 126, bytes >> 8, bytes & 0xff);
  return header + wire;
}

/** Frames as bytes, whatever they are. */
export function asBytes(frames: Frames): Buffer {
  if (typeof frames !== "string") return frames;
  const bytes = unpooled(frames.length);
  bytes.write(frames, "latin1");
  return bytes;
}

/** Frames the end of a connection, without a code where there is none; a reason over 123 bytes of UTF-8 is cut between characters. */
export function closeFrame(code?: number, reason = ""): Buffer {
  if (code === undefined) return openFrame(CLOSE, 0);
  const text = new Uint8Array(MAX_CONTROL_BYTES - 2);
  const { written } = new TextEncoder().encodeInto(reason, text);
  const frame = openFrame(CLOSE, 2 + written);
  frame.writeUInt16BE(code, 2);
  frame.set(text.subarray(0, written), 4);
  return frame;
}

/** Frames a ping of at most 125 bytes. */
export function pingFrame(payload: Uint8Array = new Uint8Array(0)): Buffer {
  return controlFrame(PING, payload);
}

/** Frames the answer to a ping: its payload, of at most 125 bytes. */
export function pongFrame(payload: Uint8Array): Buffer {
  return controlFrame(PONG, payload);
}

function controlFrame(opcode: number, payload: Uint8Array): Buffer {
  const kept = payload.subarray(0, MAX_CONTROL_BYTES);
  const frame = openFrame(opcode, kept.length);
  frame.set(kept, 2);
  return frame;
}

/** A frame as it is read back. */
export interface ReadFrame {
  readonly kind: "text" | "binary" | "control";
  /** A part of the bytes that were read, not a copy. */
  readonly payload: Buffer;
}

/** Takes a run of frames that this server made apart, for transports that are no WebSocket. */
export function* readFrames(frames: Buffer): Generator<ReadFrame> {
  for (let at = 0; at < frames.length;) {
    const opcode = frames[at]! & 0x0f;
    const short = frames[at + 1]!;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const bytes =
      short < 126
        ? short
        : short === 126
          ? frames.readUInt16BE(at + 2)
          : Number(frames.readBigUInt64BE(at + 2));
    const end = at + header + bytes;
    const kind = opcode === TEXT ? "text" : opcode === BINARY ? "binary" : "control";
    yield { kind, payload: frames.subarray(at + header, end) };
    at = end;
  }
}

/** A frame with its header written and its payload to be filled. */
function openFrame(opcode: number, bytes: number): Buffer {
  const header = bytes < 126 ? 2 : bytes < 0x1_0000 ? 4 : 10;
  const frame = unpooled(header + bytes);
  frame[0] = FINAL | opcode;
  if (header === 2) {
    frame[1] = bytes;
  } else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  return frame;
}

/** Not from Buffer's pool: a frame that waits for a slow client would keep all of that alive, and count for its own few bytes. */
function unpooled(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}
