// An endpoint on the server of a Hono app.
import { once } from "node:events";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { run } from "sluice";
import { sockets, web } from "./attach-room.ts";

const app = new Hono();
app.get("/", (context) => context.text("a page of Hono"));
const server = createAdaptorServer({ fetch: app.fetch }) as Server;
server.listen(Number(process.env["PORT"] ?? 4000), "127.0.0.1");
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
