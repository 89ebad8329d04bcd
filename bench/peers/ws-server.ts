// Plain `ws`, as everybody writes it: the JSON is made once, and sent to each client.
import { WebSocketServer, type WebSocket } from "ws";
import type { AddressInfo } from "node:net";
import { accountTo } from "../fan-out/accounts.ts";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
const joined = new Set<WebSocket>();
server.on("connection", (socket) => {
  socket.on("close", () => joined.delete(socket));
  socket.on("message", (data: Buffer) => {
    const [event, payload] = JSON.parse(data.toString()) as [string, unknown];
    if (event === "join") {
      joined.add(socket);
      socket.send('["joined"]');
    } else if (event === "say") {
      const text = JSON.stringify(["said", payload]);
      for (const one of joined) one.send(text);
    } else if (event === "ask") socket.send(JSON.stringify(["answer", payload]));
  });
});
server.on("listening", () => accountTo(process, (server.address() as AddressInfo).port));
