// An endpoint on the server of an Express app.
import { once } from "node:events";
import express from "express";
import { run } from "sluice";
import { sockets, web } from "./attach-room.ts";

const app = express();
app.get("/", (_request, response) => void response.send("a page of Express"));
const server = app.listen(Number(process.env["PORT"] ?? 4000), "127.0.0.1");
await once(server, "listening");

await run(
  { strategy: "one_for_one", children: { web: web.child({ server, sockets }) } },
  {
    async ready({ children }) {
      console.info(`serving ${(await children.web.call.address()).url}`);
    },
  },
);
server.close();
