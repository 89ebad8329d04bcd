// A WebSocket by hand: bytes on a TCP connection, as no client library would send them.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "./clients.ts";

/** What the server sent: a frame as it stands on the line. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** How a frame differs from a final, masked one without reserved bits. */
export interface FrameShape {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly isMasked?: boolean;
  /** The length that is declared, in place of the true one. */
  readonly declared?: number;
  /** Bytes that say the length, where it would fit into fewer. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** A frame of a client. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = "",
  { fin = true, rsv = 0, isMasked = true, declared, lengthBytes }: FrameShape = {},
): Buffer {
  const body = Buffer.from(payload);
  const length = declared ?? body.length;
  const size = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const head = Buffer.alloc(2 + size);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, body]);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  for (let at = 0; at < body.length; at++) body[at]! ^= mask[at % 4]!;
  return Buffer.concat([head, mask, body]);
}

/** A close with a code, and a reason as bytes. */
export function close(code: number, reason: string | Uint8Array = ""): Buffer {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code);
  return frame(8, payload);
}

/** The request that begins a WebSocket. */
export function upgradeRequest(url: string, query = "vsn=2.0.0", more = ""): string {
  return `GET /socket/websocket?${query} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;
}

/** A line that was upgraded. */
export class RawLine implements AsyncDisposable {
  readonly line: Socket;
  readonly frames: RawFrame[] = [];
  isEnded = false;
  #bytes = Buffer.alloc(0);
  #isOpen = false;

  private constructor(url: string) {
    this.line = connect(Number(new URL(url).port), "127.0.0.1");
    this.line.on("error", () => {});
    this.line.on("close", () => (this.isEnded = true));
    this.line.on("data", (data: Buffer) => this.#read(data));
    this.line.write(upgradeRequest(url));
  }

  static async open(url: string): Promise<RawLine> {
    const line = new RawLine(url);
    await until(() => line.#isOpen || line.isEnded);
    if (!line.#isOpen) throw new Error("was not upgraded");
    return line;
  }

  /** Writes bytes, or does not where the line is gone. */
  send(...frames: readonly Buffer[]): void {
    if (!this.line.destroyed) this.line.write(Buffer.concat(frames));
  }

  /** Resolves with the code that the server closes with; 0 for a close without one, undefined for none. */
  async closed(): Promise<number | undefined> {
    await until(() => this.isEnded || this.frames.some(({ opcode }) => opcode === 8));
    const last = this.frames.find(({ opcode }) => opcode === 8);
    return last === undefined
      ? undefined
      : last.payload.length < 2
        ? 0
        : last.payload.readUInt16BE();
  }

  /** Texts that came. */
  get texts(): string[] {
    return this.frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => String(payload));
  }

  /** Payloads of pongs that came. */
  get pongs(): string[] {
    return this.frames.filter(({ opcode }) => opcode === 10).map(({ payload }) => String(payload));
  }

  #read(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    if (!this.#isOpen) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#isOpen = this.#bytes.toString("latin1", 0, 12) === "HTTP/1.1 101";
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    for (;;) {
      const [first = 0, second = 0] = this.#bytes;
      const head = second < 126 ? 2 : second === 126 ? 4 : 10;
      if (this.#bytes.length < head) return;
      const length =
        second < 126
          ? second
          : second === 126
            ? this.#bytes.readUInt16BE(2)
            : Number(this.#bytes.readBigUInt64BE(2));
      if (this.#bytes.length < head + length) return;
      const payload = this.#bytes.subarray(head, head + length);
      this.frames.push({ opcode: first & 15, payload });
      this.#bytes = this.#bytes.subarray(head + length);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.line.destroy();
    if (!this.line.closed) await once(this.line, "close");
  }
}
