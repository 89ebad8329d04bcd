// The clients of bench/clients.ts: raw WebSocket connections that join one topic and stay.
import { connect } from "node:net";
import type { Socket } from "node:net";

const atOnce = 100;
const joined: Socket[] = [];

/** A text frame as a client sends it; a mask of zeros leaves the payload as it is. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

const joinFrame = textFrame(JSON.stringify(["1", "1", "room:lobby", "phx_join", {}]));

/** Upgrades one connection, joins, and resolves when the reply says ok. */
function join(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    let upgraded = false;
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`the server closed the connection after: ${heard}`)));
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
      if (!upgraded && heard.includes("\r\n\r\n")) {
        if (!heard.startsWith("HTTP/1.1 101")) return reject(new Error(heard));
        upgraded = true;
        socket.write(joinFrame);
      } else if (heard.includes('"phx_reply"')) {
        if (!heard.includes('"status":"ok"')) return reject(new Error(heard));
        heard = "";
        socket.removeAllListeners("data");
        socket.resume();
        resolve(socket);
      }
    });
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
    );
  });
}

process.on("message", ({ port, clients }: { readonly port: number; readonly clients: number }) => {
  let left = clients;
  const lane = async (): Promise<void> => {
    while (left-- > 0) joined.push(await join(port));
  };
  void Promise.all(Array.from({ length: atOnce }, lane)).then(
    () => process.send?.({ open: joined.filter((socket) => !socket.destroyed).length }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
