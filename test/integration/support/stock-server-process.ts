// A server for stock clients, in a process of its own, so that it can be killed: `node stock-server-process.ts <port>`. It
// says its address in a line of JSON. Its channels are a room, and one that speaks as the hosted service of another client.
import { startSupervisor } from "sluice";
import { endpoint, type Limits } from "sluice/channels";
import { presence } from "sluice/presence";

interface Hosted {
  readonly type: string;
  readonly event: string;
  readonly payload?: object;
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

const web = endpoint<Topics, { readonly user: string }>("web");
const here = presence<object>("here");
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
  joined: (channel) => here.pushState(channel),
  on: {
    broadcast(payload, channel) {
      channel.broadcastFrom("broadcast", payload);
      return {};
    },
    // Its `track` says again what is tracked, and changes it.
    async presence({ event, payload = {} }, channel) {
      const { user } = channel.socket.assigns;
      if (event === "untrack") await here.untrack(channel, user);
      else if ((await here.getByKey(channel.topic, user)) === undefined)
        await here.track(channel, user, payload);
      else await here.update(channel, user, payload);
      return {};
    },
    access_token: () => ({}),
  },
});
const app = await startSupervisor({
  strategy: "rest_for_one",
  children: {
    here: here.child({ to: web }),
    web: web.child({
      port: Number(process.argv[2]),
      limits: JSON.parse(process.argv[3] ?? "{}") as Partial<Limits>,
      sockets: {
        "/socket": { connect: ({ apikey = "" }) => ({ user: apikey }), channels: [room, hosted] },
      },
    }),
  },
});
process.stdout.write(`${JSON.stringify(await app.children.web.call.address())}\n`);
// Ends with whoever started it.
process.stdin.on("end", () => process.exit()).resume();
