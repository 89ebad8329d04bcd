// A node whose lines are cut, a program of its own: `node partition-node.ts '{"broker": "redis", …}'`. It broadcasts on a topic
// of the bus and on one with history, keeps who is present, and tells its parent what happens to it.
import { startSupervisor } from "sluice";
import { endpoint, fields, type HistoryEntry } from "sluice/channels";
import { natsLog } from "sluice/nats";
import { postgresLog } from "sluice/postgres";
import { presence } from "sluice/presence";
import { pubsub } from "sluice/pubsub";
import { redisLog } from "sluice/redis";
import type { Log } from "sluice/store";
import { attach } from "sluice/telemetry";
import { adapterTo } from "../../cluster/brokers.ts";
import {
  floodMs,
  heartbeatMs,
  idleMs,
  periods,
  type FromPartitionNode,
  type PartitionNodeOptions,
  type ToPartitionNode,
} from "./partition-protocol.ts";

interface Said {
  readonly from: string;
  readonly n: number;
}
interface Topics {
  room: { out: { said: Said } };
  feed: { out: { said: Said }; history: true };
  crowd: { join(params: { readonly as: string }): void };
}

const { broker, url, node, host } = JSON.parse(process.argv[2] ?? "{}") as PartitionNodeOptions;
const tell = (message: FromPartitionNode): void => void process.send!(message);
attach("sluice.pubsub.up", (up) => tell({ kind: "up", ...up }));
attach("sluice.pubsub.down", (down) => tell({ kind: "down", ...down }));
attach("sluice.pubsub.gap", (gap) => tell({ kind: "gap", ...gap }));
attach("sluice.channels.closed", (closed) => tell({ kind: "closed", ...closed }));
// Lines that are cut are what happens here.
attach("sluice.log", () => {});

const bounds = { timeoutMs: 2_000, count: 20_000 };
const logs: { readonly [K in typeof broker]: () => Log<HistoryEntry> } = {
  nats: () => natsLog({ servers: url, trustRestarts: true, ...bounds }),
  redis: () => redisLog({ url, ...bounds }),
  postgres: () => postgresLog({ connectionString: url, ...bounds }),
};
const web = endpoint<Topics>("web");
const here = presence<{}>("here");
const join = () => ({ assigns: {} });
const kept = { count: 20_000, maxReplay: 20_000 };
const room = web.channel("room", { join });
const feed = web.channel("feed", { join, history: kept });
const crowd = web.channel("crowd", {
  schemas: { join: fields({ as: "string" }) },
  join: ({ as }) => ({ assigns: { as } }),
  async joined(channel) {
    await here.track(channel, channel.assigns.as, {});
    await here.pushState(channel);
  },
});

const app = await startSupervisor({
  strategy: "rest_for_one",
  children: {
    pubsub: pubsub({
      adapter: adapterTo(broker, url, "partitions"),
      nodeName: node,
      secrets: ["what these nodes sign with, and nobody else"],
      heartbeatMs,
      connectTimeoutMs: 1_000,
      reconnectDelayMs: { firstMs: 20, maxMs: 200, jitter: 0.5 },
      startTimeoutMs: 30_000,
    }),
    here: here.child({ to: web, ...periods }),
    history: web.history({ log: logs[broker] }),
    web: web.child({
      port: 0,
      host,
      // Found by its silence, not by what stands still on its line.
      limits: { idleMs, stallMs: 60_000 },
      sockets: { "/socket": { connect: () => ({}), channels: [room, feed, crowd] } },
    }),
  },
});

let said = 0;
let failed: number[] = [];
const unanswered = new Set<Promise<void>>();

function speak(): void {
  const n = ++said;
  web.broadcast("room", "said", { from: node, n });
  const answered: Promise<void> = web.publish("feed", "said", { from: node, n }).then(
    () => void unanswered.delete(answered),
    () => {
      unanswered.delete(answered);
      failed.push(n);
    },
  );
  unanswered.add(answered);
}

let flood: NodeJS.Timeout | undefined;
/** It says no more, and tells what became of what it said. */
async function calm(): Promise<void> {
  await Promise.all(unanswered);
  tell({ kind: "calm", said, failed });
}

process.on("message", ({ kind }: ToPartitionNode) => {
  clearInterval(flood);
  if (kind === "calm") return void calm();
  failed = [];
  flood = setInterval(speak, floodMs);
  return undefined;
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready", url: (await app.children.web.call.address()).url });
