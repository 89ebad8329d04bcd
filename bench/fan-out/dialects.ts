// How the three servers are spoken to: what a raw WebSocket client sends, and what it waits for.

/** The peers of the fan-out; of `bare`, which is none, see its server. */
export const peers = ["sluice", "socket.io", "ws", "bare"] as const;
export type Peer = (typeof peers)[number];

/** One server's words, as texts of WebSocket frames. */
export interface Dialect {
  /** Where the upgrade is asked for. */
  readonly path: string;
  /** What is said in turn: each line when a text that holds `after` has come, the first ones at once. */
  readonly join: readonly { readonly after?: string; readonly say: string }[];
  /** Is in the text that ends the join. */
  readonly joined: string;
  /** Has the server send `payload` to everybody. */
  readonly publish: (payload: string) => string;
  /** Asks for an answer. */
  readonly ask: (n: number) => string;
  /** A text of the server's that wants to be answered, and the answer. */
  readonly ping?: readonly [heard: string, answer: string];
}

/** The one topic. */
export const topic = "room:lobby";

const array: Dialect = {
  path: "/",
  join: [{ say: '["join"]' }],
  joined: '["joined"]',
  publish: (payload) => `["say",${payload}]`,
  ask: (n) => `["ask",{"n":${n}}]`,
};

export const dialects: { readonly [P in Peer]: Dialect } = {
  sluice: {
    path: "/socket/websocket?vsn=2.0.0",
    join: [{ say: JSON.stringify(["1", "1", topic, "phx_join", {}]) }],
    joined: '"status":"ok"',
    publish: (payload) => `["1","2",${JSON.stringify(topic)},"say",${payload}]`,
    ask: (n) => JSON.stringify(["1", String(n), topic, "ask", { n }]),
  },
  "socket.io": {
    path: "/socket.io/?EIO=4&transport=websocket",
    join: [
      { after: '0{"sid"', say: "40" },
      { after: '40{"sid"', say: `420${JSON.stringify(["join", topic])}` },
    ],
    joined: "430[",
    publish: (payload) => `42["say",${payload}]`,
    ask: (n) => `42${n}${JSON.stringify(["ask", { n }])}`,
    ping: ["2", "3"],
  },
  ws: array,
  bare: array,
};
