// A node whose history is in a log on a server: `node history-node-process.ts '{"kind": "redis", …}'`. It says where it serves.
import { run } from "sluice";
import { endpoint, type HistoryEntry } from "sluice/channels";
import { natsLog } from "sluice/nats";
import { postgresLog } from "sluice/postgres";
import { redisLog } from "sluice/redis";
import type { Log } from "sluice/store";

/** What a node is told. */
export interface HistoryNodeOptions {
  readonly kind: "nats" | "redis" | "postgres";
  /** Of the server. */
  readonly url: string;
  /** Where it serves; 0: a free port. */
  readonly port: number;
}

interface Topics {
  "room:*": {
    in: { say(payload: { readonly text: string }): { readonly offset: number } };
    out: { said: { readonly text: string } };
    history: true;
  };
}

const { kind, url, port } = JSON.parse(process.argv[2] ?? "{}") as HistoryNodeOptions;
const logs: { readonly [K in HistoryNodeOptions["kind"]]: () => Log<HistoryEntry> } = {
  nats: () => natsLog({ servers: url, trustRestarts: true, timeoutMs: 2_000, count: 10_000 }),
  redis: () => redisLog({ url, timeoutMs: 2_000, count: 10_000 }),
  postgres: () => postgresLog({ connectionString: url, timeoutMs: 2_000, count: 10_000 }),
};
const web = endpoint<Topics>("web");
const room = web.channel("room:*", {
  schemas: "trusted",
  join: () => ({ assigns: {} }),
  history: { count: 10_000, maxReplay: 10_000, onJoin: 10_000 },
  on: {
    say: async ({ text }, { topic }) => ({
      offset: (await web.publish(topic as "room:x", "said", { text })).offset,
    }),
  },
});

await run(
  {
    strategy: "rest_for_one",
    children: {
      history: web.history({ log: logs[kind] }),
      web: web.child({
        port,
        limits: { messagesPerSecond: 10_000 },
        sockets: { "/socket": { connect: () => ({}), channels: [room] } },
      }),
    },
  },
  {
    async ready({ children }) {
      console.info((await children.web.call.address()).url);
    },
  },
);
