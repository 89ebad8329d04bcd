// The stock clients behind one face, so that one table of tests is for all of them. None is changed, and each brings the
// protocol that it has.
import { RealtimeClient } from "@supabase/realtime-js";
import { Socket } from "phoenix";
import * as channels from "phoenix-channels";
import * as old from "phoenix-socket";
import { WebSocket } from "ws";

/** What a client was told, in order. */
export interface Told {
  readonly event: string;
  readonly payload: unknown;
}

/** A stock client that is in one topic. */
export interface Stock {
  /** What it was told, without replies. */
  readonly told: readonly Told[];
  /** The replies to its joins: each connection has one. */
  readonly joins: readonly unknown[];
  /** What comes of an event: a status and the response. */
  push(event: string, payload: object): Promise<unknown>;
  /** Resolves when it is out. */
  leave(): Promise<unknown>;
  close(): void;
}

/** What the clients that descend from Phoenix's have in common. */
interface Push {
  receive(status: string, callback: (response: unknown) => void): Push;
}
interface Channel {
  join(): Push;
  leave(): Push;
  push(event: string, payload: object): Push;
  on(event: string, callback: (payload: unknown) => void): unknown;
}
interface Client {
  connect(): void;
  disconnect(callback?: () => void): void;
  channel(topic: string, params?: object): Channel;
}

const events = ["said", "broadcast"];
/** Reconnects soon: what waits in tests is the server. */
const reconnectAfterMs = (): number => 100;

/** Each client by its name, and the version of the protocol it speaks. */
export const stockClients: {
  readonly [name: string]: (url: string, topic: string) => Stock;
} = {
  "phoenix (V2)": (url, topic) =>
    descendant(
      new Socket(`${url}/socket`, { reconnectAfterMs, rejoinAfterMs: reconnectAfterMs }),
      topic,
    ),
  "phoenix-channels (V1)": (url, topic) =>
    descendant(new channels.Socket(`${url}/socket`, { reconnectAfterMs }), topic),
  "phoenix-socket (V1)": (url, topic) =>
    descendant(new old.Socket(`${url}/socket`, { transport: WebSocket, reconnectAfterMs }), topic),
  "@supabase/realtime-js (V1)": (url, topic) => hosted(url, topic, "1.0.0"),
  "@supabase/realtime-js (V2)": (url, topic) => hosted(url, topic, "2.0.0"),
};

function outcome(push: Push): Promise<unknown> {
  return new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"])
      push.receive(status, (response) => resolve([status, response]));
  });
}

function descendant(client: Client, topic: string): Stock {
  const told: Told[] = [];
  const joins: unknown[] = [];
  client.connect();
  const channel = client.channel(topic, {});
  for (const event of events) channel.on(event, (payload) => told.push({ event, payload }));
  channel.join().receive("ok", (reply) => joins.push(reply));
  return {
    told,
    joins,
    push: (event, payload) => outcome(channel.push(event, payload)),
    leave: () => outcome(channel.leave()),
    close: () => client.disconnect(),
  };
}

/** The client of a hosted service: its topics begin with `realtime:`, and its channels say what happens to them. */
function hosted(url: string, topic: string, vsn: string): Stock {
  const told: Told[] = [];
  const joins: unknown[] = [];
  const client = new RealtimeClient(`${url}/socket`, {
    params: { apikey: "none" },
    transport: WebSocket as never,
    reconnectAfterMs,
    vsn,
  });
  const channel = client.channel(topic.replace(/^realtime:/, ""), {
    config: { broadcast: { ack: true } },
  });
  channel.on("broadcast", { event: "*" }, ({ event, payload }) => told.push({ event, payload }));
  channel.subscribe((status) => {
    if (status === "SUBSCRIBED") joins.push(status);
  });
  return {
    told,
    joins,
    async push(event, payload) {
      if (event === "presence") return channel.track(payload);
      return channel.send({ type: "broadcast", event, payload });
    },
    leave: () => channel.unsubscribe(),
    close: () => void client.disconnect(),
  };
}
