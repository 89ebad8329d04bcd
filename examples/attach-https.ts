// An endpoint on a server of node:https: TLS_KEY and TLS_CERT name its files.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { run } from "sluice";
import { sockets, web } from "./attach-room.ts";

const key = await readFile(process.env["TLS_KEY"] ?? "key.pem");
const cert = await readFile(process.env["TLS_CERT"] ?? "cert.pem");
const server = createServer({ key, cert }, (request, response) => {
  if (request.url === "/") response.end("a page of node:https");
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
