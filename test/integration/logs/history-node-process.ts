// A node whose history is in a log on a server: `node history-node-process.ts '{"kind": "redis", …}'`. It says where it serves.
import { run } from "sluice";
import { endpoint } from "sluice/channels";
import { historyLog, historySecrets, type LogKind } from "./history-log.ts";

/** What a node is told. */
export interface HistoryNodeOptions {
  readonly kind: LogKind;
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
      history: web.history({ log: () => historyLog(kind, url), secrets: historySecrets }),
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
