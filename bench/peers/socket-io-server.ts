// Socket.IO as its documentation shows: a room, `io.to(room).emit`, acknowledgements as replies.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { accountTo } from "../fan-out/accounts.ts";

interface Said {
  readonly n: string;
  readonly pad: string;
}
interface FromClient {
  join(room: string, done: () => void): void;
  say(payload: Said): void;
  ask(payload: { readonly n: number }, done: (reply: { readonly n: number }) => void): void;
}

const http = createServer();
const io = new Server<FromClient, { said(payload: Said): void }>(http, {
  serveClient: false,
  transports: ["websocket"],
});
io.on("connection", (socket) => {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("say", (payload) => io.to("room:lobby").emit("said", payload));
  socket.on("ask", ({ n }, done) => done({ n }));
});
http.listen(0, "127.0.0.1", () => accountTo(process, (http.address() as AddressInfo).port));
