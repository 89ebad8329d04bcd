// What is left when an engine costs nothing: Node's own server and sockets, and the words of the workload by hand. Whatever
// comes is taken to be right and whole; nothing is checked, bounded, or looked after.
import { hash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { accountTo } from "./accounts.ts";

const joined = new Set<Duplex>();

function frame(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(text.length + (text.length < 126 ? 2 : 4));
  bytes[0] = 0x81;
  if (text.length < 126) bytes[1] = text.length;
  else {
    bytes[1] = 126;
    bytes.writeUInt16BE(text.length, 2);
  }
  bytes.write(text, bytes.length - text.length, "latin1");
  return bytes;
}

/** What a client sends in one chunk is answered in one write to each. */
function hear(socket: Duplex, chunk: Buffer): void {
  const said: Buffer[] = [];
  for (let at = 0; at < chunk.length;) {
    const isShort = (chunk[at + 1]! & 0x7f) < 126;
    const start = at + (isShort ? 6 : 8);
    const end = start + (isShort ? chunk[at + 1]! & 0x7f : chunk.readUInt16BE(at + 2));
    // The clients' masks are zeros.
    const [event, payload] = JSON.parse(chunk.toString("latin1", start, end)) as [string, unknown];
    if (event === "say") said.push(frame(JSON.stringify(["said", payload])));
    else if (event === "ask") socket.write(frame(JSON.stringify(["answer", payload])));
    else {
      joined.add(socket);
      socket.write(frame('["joined"]'));
    }
    at = end;
  }
  if (said.length === 0) return;
  const frames = said.length === 1 ? said[0]! : Buffer.concat(said);
  for (const one of joined) one.write(frames);
}

const server = createServer();
server.on("upgrade", ({ headers }, socket) => {
  const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${hash("sha1", key, "base64")}\r\n\r\n`,
    "latin1",
  );
  socket.on("data", (chunk: Buffer) => hear(socket, chunk));
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => accountTo(process, (server.address() as AddressInfo).port));
