// A server for stock clients, in a process of its own, so that it can be killed: `node stock-server-process.ts <port>`. It
// says its address in a line of JSON. Its channels are a room, and one that speaks as the hosted service of another client.
import { startSupervisor } from "sluice";
import { endpoint, type Limits } from "sluice/channels";

interface Hosted {
  readonly type: string;
  readonly event: string;
  readonly payload?: unknown;
}
interface Topics {
  "room:*": {
    join(params: object): { readonly pid: number };
    in: { say(payload: { readonly text: string }): { readonly said: string } };
    out: { said: { readonly text: string } };
  };
  "realtime:*": {
    join(params: object): object;
    in: {
      broadcast(payload: Hosted): object;
      presence(payload: Hosted): object;
      access_token(payload: object): object;
    };
    out: { broadcast: Hosted };
  };
}

const web = endpoint<Topics>("web");
const room = web.channel("room:*", {
  schemas: "trusted",
  join: () => ({ assigns: {}, reply: { pid: process.pid } }),
  on: {
    say({ text }, channel) {
      channel.broadcast("said", { text });
      return { said: text };
    },
  },
});
const hosted = web.channel("realtime:*", {
  schemas: "trusted",
  join: () => ({ assigns: {}, reply: {} }),
  on: {
    broadcast(payload, channel) {
      channel.broadcastFrom("broadcast", payload);
      return {};
    },
    presence: ({ event }) => ({ event }),
    access_token: () => ({}),
  },
});
const app = await startSupervisor({
  strategy: "one_for_one",
  children: {
    web: web.child({
      port: Number(process.argv[2]),
      limits: JSON.parse(process.argv[3] ?? "{}") as Partial<Limits>,
      sockets: { "/socket": { connect: () => ({}), channels: [room, hosted] } },
    }),
  },
});
process.stdout.write(`${JSON.stringify(await app.children.web.call.address())}\n`);
// Ends with whoever started it.
process.stdin.on("end", () => process.exit()).resume();
