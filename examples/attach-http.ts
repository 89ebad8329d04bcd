// An endpoint on a server of node:http that is there already: what is not the endpoint's is the server's own.
import { once } from "node:events";
import { createServer } from "node:http";
import { run } from "sluice";
import { sockets, web } from "./attach-room.ts";

const server = createServer((request, response) => {
  if (request.url === "/") response.end("a page of node:http");
  else response.writeHead(404).end();
});
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
// The endpoint has ended and left it open.
server.close();
