// A client that reads a hundred messages a second from its socket, and no more, until its standard input says to hurry:
// `node slow-client-process.ts <port> <topic>`. It says in lines of JSON what has come, and with which code it was closed.
import { Socket } from "node:net";

const [port = "", topic = ""] = process.argv.slice(2);
const messagesPerTick = 10;
const tickMs = 100;

const report = { joined: false, count: 0, code: undefined as number | undefined, ended: false };
// Nobody listens any more.
process.stdout.on("error", () => process.exit());
const say = (): unknown => process.stdout.write(`${JSON.stringify(report)}\n`);

// A small buffer: what is not read waits in the kernel, and then in the server.
const socket = new Socket({ highWaterMark: 1_024 } as object);
let bytes: Buffer<ArrayBufferLike> = Buffer.alloc(0);
let upgraded = false;
let hurries = false;

/** A text frame as a client sends it; a mask of zeros leaves the payload as it is. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** More bytes from the kernel, if it has any. */
function fill(): boolean {
  const more = socket.read() as Buffer | null;
  if (more !== null) bytes = Buffer.concat([bytes, more]);
  return more !== null;
}

/** The next whole frame. */
function nextFrame(): Buffer | undefined {
  const short = (bytes[1] ?? 0) & 0x7f;
  const header = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < header) return undefined;
  const length =
    short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short === 126
        ? bytes.readUInt16BE(2)
        : short;
  if (bytes.length < header + length) return undefined;
  const frame = bytes.subarray(0, header + length);
  bytes = bytes.subarray(header + length);
  return frame;
}

function take(frame: Buffer): void {
  if ((frame[0]! & 0x0f) === 8) report.code = frame.readUInt16BE(2);
  else if (frame.includes('"phx_reply"')) report.joined = true;
  else report.count++;
}

function upgrade(): void {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return;
  if (!bytes.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error(bytes.toString());
  bytes = bytes.subarray(end + 4);
  upgraded = true;
  socket.write(textFrame(JSON.stringify(["1", "1", topic, "phx_join", {}])));
}

function read(): void {
  for (let taken = 0; taken < messagesPerTick || hurries;) {
    if (!upgraded) upgrade();
    const frame = upgraded ? nextFrame() : undefined;
    if (frame !== undefined) {
      take(frame);
      taken++;
    } else if (!fill()) break;
  }
  say();
}

setInterval(read, tickMs);
process.stdin.on("data", () => (hurries = true)).unref?.();
const ended = (): void => {
  read();
  report.ended = true;
  say();
  process.exit();
};
socket.on("error", ended).on("end", ended);
socket.connect(Number(port), "127.0.0.1", () =>
  socket.write(
    [
      "GET /socket/websocket?vsn=2.0.0 HTTP/1.1",
      `Host: 127.0.0.1:${port}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      "\r\n",
    ].join("\r\n"),
  ),
);
