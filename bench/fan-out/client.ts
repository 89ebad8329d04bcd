// A WebSocket client that costs the load generator next to nothing: frames are counted as they stand in the buffer.
import { connect, type Socket } from "node:net";
import type { Dialect } from "./dialects.ts";

/** What a client tells of. */
export interface Heard {
  /** It has joined. */
  joined(client: Client): void;
  /** A frame with a number: the `n` of its payload, or -1. */
  numbered(client: Client, n: number): void;
  lost(client: Client, why: string): void;
}

/** Where a payload has its number: `"n":"00000042"`, always eight digits. */
const mark = Buffer.from('"n":"');
const digits = 8;
/** What all clients read into. */
const shared = Buffer.allocUnsafeSlow(1 << 20);
/** Where the number stands in a frame of each length, seen once. */
const places = new Map<number, number>();

/** A text frame as a client sends it; a mask of zeros leaves the payload as it is. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header =
    payload.length < 126
      ? [0x81, 0x80 | payload.length]
      : [0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

/** One connection. */
export class Client {
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #heard: Heard;
  /** What came and is no whole frame yet. */
  #rest: Buffer | undefined = undefined;
  #upgraded = false;
  #step = 0;
  #hasJoined = false;
  /** The last number that was heard. */
  last = -1;

  constructor(port: number, dialect: Dialect, heard: Heard) {
    this.#dialect = dialect;
    this.#heard = heard;
    this.#socket = connect({
      port,
      host: "127.0.0.1",
      onread: {
        buffer: shared,
        callback: (bytes, buffer) => {
          this.#read((buffer as Buffer).subarray(0, bytes));
          return true;
        },
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => heard.lost(this, error.message));
    this.#socket.on("close", () => heard.lost(this, "closed"));
    this.#socket.write(
      [
        `GET ${dialect.path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "\r\n",
      ].join("\r\n"),
    );
  }

  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    if (!this.#upgraded) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return void (this.#rest = Buffer.from(bytes));
      if (!bytes.toString("latin1", 0, 12).endsWith("101"))
        return this.#heard.lost(this, bytes.toString("latin1", 0, end));
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
      this.#say();
    }
    let at = 0;
    while (at + 2 <= bytes.length) {
      const short = bytes[at + 1]! & 0x7f;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (start > bytes.length) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (start + length > bytes.length) break;
      if ((bytes[at]! & 0x0f) === 1) this.#frame(bytes, start, length);
      at = start + length;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #frame(bytes: Buffer, start: number, length: number): void {
    if (this.#hasJoined && length > 2)
      return this.#heard.numbered(this, numberIn(bytes, start, length));
    const text = bytes.toString("latin1", start, start + length);
    const { ping, joined } = this.#dialect;
    if (text === ping?.[0]) return this.send(clientFrame(ping[1]));
    if (text.includes(joined)) {
      this.#hasJoined = true;
      this.#heard.joined(this);
    } else this.#say(text);
  }

  #say(text?: string): void {
    const next = this.#dialect.join[this.#step];
    if (next === undefined || (next.after !== undefined && text?.startsWith(next.after) !== true))
      return;
    this.#step++;
    this.send(clientFrame(next.say));
  }
}

function numberIn(bytes: Buffer, start: number, length: number): number {
  let place = places.get(length);
  if (place === undefined) {
    const found = bytes.subarray(start, start + length).indexOf(mark);
    place = found < 0 ? -1 : found + mark.length;
    places.set(length, place);
  }
  if (place < 0) return -1;
  let n = 0;
  for (let at = start + place; at < start + place + digits; at++) n = n * 10 + bytes[at]! - 48;
  return n;
}
