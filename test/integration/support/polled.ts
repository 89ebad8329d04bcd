// An endpoint with rooms, served to clients that poll by hand.
import { startSupervisor, withSystem } from "sluice";
import { Refused, endpoint, type ConnectInfo, type Endpoint } from "sluice/channels";
import { expectErrors } from "./expected.ts";
import type { Frame } from "./clients.ts";
import { PollClient } from "./polls.ts";

interface Room {
  join(params: object): void;
  in: {
    say(payload: object): void;
    whoami(payload: object): { readonly n: number };
    wait(payload: object): void;
    soon(payload: object): void;
    crash(payload: object): void;
  };
  out: { said: object; late: object };
}
/** Its topics. */
export interface Topics {
  "room:*": Room;
}

/** A running endpoint. */
export interface Served {
  readonly url: string;
  readonly web: Endpoint<Topics, {}>;
  /** What `connect` was told. */
  readonly infos: ConnectInfo[];
  /** What was said, and who left. */
  readonly seen: unknown[];
}

/** Serves rooms at `/socket` and `/other`, polls waiting 200 ms, while the body runs. */
export async function served(
  body: (served: Served) => Promise<void>,
  options: object = {},
): Promise<void> {
  const web = endpoint<Topics, {}>("web");
  const infos: ConnectInfo[] = [];
  const seen: unknown[] = [];
  const room = web.channel("room:*", {
    schemas: "trusted",
    join: (_params, { key }) => {
      if (key === "closed") throw new Refused({ reason: "closed" });
      return { assigns: { n: 0 } };
    },
    joined: (channel) => channel.push("late", {}),
    on: {
      say: (payload, channel) => {
        seen.push(payload);
        channel.broadcast("said", payload);
      },
      whoami: (_payload, channel) => ({ n: ++channel.assigns.n }),
      wait: (_payload, _channel, later) => later as never,
      soon: (_payload, channel) => void channel.after(100, () => channel.push("late", {})),
      crash() {
        throw new Error("a secret");
      },
    },
    leave: ({ topic }) => void seen.push(`left ${topic}`),
  });
  const socket = {
    longPoll: { windowMs: 200 },
    connect(params: Readonly<Record<string, string>>, info: ConnectInfo) {
      const { headers, remoteAddress, url, params: all } = info;
      infos.push({ ...info, headers, remoteAddress, url, params: all });
      if (params["user"] === "nobody") throw new Refused({ reason: "a secret" });
      if (params["user"] === "crash") throw new Error("a secret");
      return {};
    },
    id: () => "everybody",
    channels: [room],
  };
  const { sockets = {}, ...rest } = options as { readonly sockets?: object };
  await withSystem(async () => {
    using _errors = expectErrors();
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          ...rest,
          sockets: { "/socket": { ...socket, ...sockets }, "/other": socket, "/of/:place": socket },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body({ url, web, infos, seen });
  });
}

/** A client with a session. */
export async function opened(url: string, query?: string): Promise<PollClient> {
  const client = new PollClient(url, query);
  await client.open();
  return client;
}
/** A join. */
export const join: Frame = ["1", "1", "room:1", "phx_join", {}];
/** What it brings. */
export const joined: Frame[] = [
  ["1", "1", "room:1", "phx_reply", { status: "ok", response: {} }],
  ["1", null, "room:1", "late", {}],
];
