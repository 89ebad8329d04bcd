// One node whose clients are present, a program of its own: `node presence-node.ts <broker> <url> <prefix>`. Says where it is.
import { run } from "sluice";
import { endpoint, fields } from "sluice/channels";
import { presence } from "sluice/presence";
import { pubsub } from "sluice/pubsub";
import { adapterTo, secrets, type Broker } from "./brokers.ts";
import { periods } from "./presence-periods.ts";

interface Topics {
  room: { join(params: { readonly as: string }): void };
}

const [, , broker, url, prefix] = process.argv;
const web = endpoint<Topics>("web");
const here = presence<{ readonly pid: number }>("here");
const room = web.channel("room", {
  schemas: { join: fields({ as: "string" }) },
  join: ({ as }) => ({ assigns: { as } }),
  async joined(channel) {
    await here.track(channel, channel.assigns.as, { pid: process.pid });
    await here.pushState(channel);
  },
});
await run(
  {
    strategy: "rest_for_one",
    children: {
      pubsub: pubsub({
        adapter: adapterTo(broker as Broker, url!, prefix!),
        secrets,
        startTimeoutMs: 60_000,
      }),
      here: here.child({ to: web, ...periods }),
      web: web.child({
        port: 0,
        sockets: { "/socket": { connect: () => ({}), channels: [room] } },
      }),
    },
  },
  { ready: async (app) => void process.send!((await app.children.web.call.address()).url) },
);
process.disconnect();
