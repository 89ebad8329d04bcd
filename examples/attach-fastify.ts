// An endpoint on the server of a Fastify app. Listen at an address: for `localhost` Fastify opens a second server, of which
// an endpoint knows nothing.
import Fastify from "fastify";
import { run } from "sluice";
import { sockets, web } from "./attach-room.ts";

// Else it waits for whoever keeps a connection open, asking nothing.
const app = Fastify({ forceCloseConnections: true });
app.get("/", () => "a page of Fastify");
await app.listen({ port: Number(process.env["PORT"] ?? 4000), host: "127.0.0.1" });
const { server } = app;

await run(
  { strategy: "one_for_one", children: { web: web.child({ server, sockets }) } },
  {
    async ready({ children }) {
      console.info(`serving ${(await children.web.call.address()).url}`);
    },
  },
);
await app.close();
