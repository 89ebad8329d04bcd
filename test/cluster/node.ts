// One node, a program of its own: `node node.ts <broker> <url> <prefix> <serves|speaks>`; told what to do by its parent.
import { startSupervisor, topology } from "sluice";
import { endpoint, fields } from "sluice/channels";
import { pubsub } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { adapterTo, secrets, type Broker } from "./brokers.ts";
import type { FromNode, ToNode } from "./protocol.ts";

interface Topics {
  "room:*": {
    in: {
      say(payload: { readonly n: number }): void;
      shout(payload: { readonly n: number }): void;
    };
    out: { said: { readonly n: number } };
  };
}

const [, , broker, url, prefix, role] = process.argv;
const web = endpoint<Topics, { readonly user: string }>("web");
const say = fields({ n: "number" });
const room = web.channel("room:*", {
  schemas: { join: fields({}), say, shout: say },
  join: () => ({ assigns: {} }),
  on: {
    say: ({ n }, channel) => channel.broadcastFrom("said", { n }),
    shout: ({ n }, channel) => channel.broadcast("said", { n }),
  },
});
const tell = (message: FromNode): void => void process.send!(message);

attach("sluice.pubsub.up", (up) => tell({ kind: "up", ...up }));
attach("sluice.pubsub.down", (down) => tell({ kind: "down", ...down }));
attach("sluice.pubsub.gap", (gap) => tell({ kind: "gap", ...gap }));

const app = await startSupervisor({
  strategy: "one_for_one",
  children: {
    pubsub: pubsub({
      adapter: adapterTo(broker as Broker, url!, prefix!),
      secrets,
      // Programs that start together, on a machine that may have other things to do.
      startTimeoutMs: 60_000,
      heartbeatMs: 500,
      reconnectDelayMs: { firstMs: 20, maxMs: 200, jitter: 0.5 },
    }),
  },
});

/** Serves clients, where it is to. */
async function serve(): Promise<string> {
  const served = await startSupervisor({
    strategy: "one_for_one",
    children: {
      web: web.child({
        port: 0,
        sockets: {
          "/socket": {
            connect: ({ user = "" }) => ({ user }),
            id: ({ user }) => `users:${user}`,
            channels: [room],
          },
        },
      }),
    },
  });
  return (await served.children.web.call.address()).url;
}

const figures = (): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(topology(app).nodes.find(({ label }) => label === "pubsub")?.figures ?? {}).map(
      ([name, figure]) => [name, figure ?? 0],
    ),
  );

let flood: NodeJS.Timeout | undefined;
process.on("message", (message: ToNode) => {
  switch (message.kind) {
    case "broadcast":
      return web.broadcast(`room:${message.room}`, "said", { n: message.n });
    case "local":
      return web.broadcastLocal(`room:${message.room}`, "said", { n: message.n });
    case "disconnect":
      return web.disconnect(`users:${message.user}`);
    case "figures":
      return tell({ kind: "figures", figures: figures() });
    case "flood": {
      let n = 0;
      clearInterval(flood);
      flood = setInterval(() => web.broadcast("room:flood", "said", { n: n++ }), message.everyMs);
      return undefined;
    }
    case "calm":
      clearInterval(flood);
      return undefined;
    default:
      return message satisfies never;
  }
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready", url: role === "serves" ? await serve() : "" });
