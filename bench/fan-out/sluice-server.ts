// The server of Sluice: limits at their defaults, but for the rates and numbers of connections and messages.
import { startSupervisor } from "sluice";
import { endpoint, fields } from "sluice/channels";
import { accountTo } from "./accounts.ts";

interface Lobby {
  in: {
    say(payload: { readonly n: string; readonly pad: string }): void;
    ask(payload: { readonly n: number }): { readonly n: number };
  };
  out: { said: { readonly n: string; readonly pad: string } };
}

const web = endpoint<{ "room:lobby": Lobby }>("web");
const lobby = web.channel("room:lobby", {
  schemas: {
    join: fields({}),
    say: fields({ n: "string", pad: "string" }),
    ask: fields({ n: "number" }),
  },
  join: () => ({ assigns: {} }),
  on: {
    say: (payload, channel) => channel.broadcast("said", payload),
    ask: ({ n }) => ({ n }),
  },
});

const many = 1_000_000;
const tree = await startSupervisor({
  strategy: "one_for_one",
  children: {
    web: web.child({
      port: 0,
      sockets: { "/socket": { connect: () => ({}), channels: [lobby] } },
      limits: {
        maxConnections: many,
        maxConnectionsPerAddress: many,
        connectionsPerSecond: many,
        messagesPerSecond: many,
        messageBurst: many,
        bytesPerSecond: 1_000 * many,
        byteBurst: 1_000 * many,
      },
    }),
  },
});
accountTo(process, (await tree.children.web.call.address()).port);
