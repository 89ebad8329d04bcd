// A server in a process of its own, to be killed: `node server-process.ts '{"port": 0}'`. It says where it serves.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { run } from "sluice";
import { Refused, endpoint, type Endpoint } from "sluice/channels";
import type { ServerOptions } from "./servers.ts";

interface Topics {
  "room:*": {
    join(params: object): void;
    in: {
      say(payload: { readonly text: string }): void;
      refuse(payload: object): void;
      flood(payload: { readonly count: number }): void;
      kick(payload: object): void;
      token(payload: object): { readonly token: string };
      sum(payload: Uint8Array): { readonly sum: number };
      bytes(payload: object): { readonly code: string };
    };
    out: { said: { readonly text: string }; flood: { readonly n: number }; bytes: Uint8Array };
  };
}
interface Assigns {
  readonly token: string;
}

const { port = 0, checkOrigin = [] } = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
const web: Endpoint<Topics, Assigns> = endpoint<Topics, Assigns>("web");

const room = web.channel("room:*", {
  schemas: "trusted",
  join(_params, { key }) {
    if (key === "closed") throw new Refused({ reason: "closed" });
    return { assigns: {} };
  },
  on: {
    say: ({ text }, channel) => channel.broadcast("said", { text }),
    refuse() {
      throw new Refused({ reason: "no" });
    },
    flood({ count }, channel) {
      for (let n = 0; n < count; n++) channel.broadcast("flood", { n });
    },
    kick: (_payload, channel) => web.disconnect(channel.socket.id!),
    token: (_payload, { socket }) => ({ token: socket.assigns.token }),
    sum: (bytes) => ({ sum: bytes.reduce((sum, byte) => sum + byte, 0) }),
    bytes(_payload, channel) {
      try {
        channel.push("bytes", Uint8Array.of(1));
      } catch (error) {
        return { code: (error as { readonly code: string }).code };
      }
      return { code: "none" };
    },
  },
});

const client = fileURLToPath(new URL("phoenix.mjs", import.meta.resolve("phoenix")));
let sockets = 0;

await run(
  {
    strategy: "one_for_one",
    children: {
      web: web.child({
        port,
        checkOrigin,
        routes: {
          "/": (_request, response) =>
            void response
              .setHeader("content-type", "text/html")
              .end("<!doctype html><title>x</title>"),
          "/phoenix.mjs": async (_request, response) =>
            void response.setHeader("content-type", "text/javascript").end(await readFile(client)),
        },
        sockets: {
          "/socket": {
            longPoll: true,
            connect: (_params, { authToken = "" }) => ({ token: authToken }),
            id: () => `socket ${sockets++}`,
            channels: [room],
          },
        },
      }),
    },
  },
  {
    async ready({ children }) {
      console.info((await children.web.call.address()).url);
    },
  },
);
