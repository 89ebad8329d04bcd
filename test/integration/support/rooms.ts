// An endpoint for tests, with rooms whose events do what their names say.
import { randomUUID } from "node:crypto";
import { startSupervisor, withSystem } from "sluice";
import { Refused, endpoint, type Endpoint, type Limits } from "sluice/channels";
import { expectErrors } from "./expected.ts";

interface RoomTopic {
  join(params: { readonly as?: string }): object;
  in: {
    say(payload: { readonly text: string }): object;
    whisper(payload: { readonly text: string }): object;
    later(payload: { readonly ms: number }): { readonly after: number };
    boom(payload: object): void;
    quit(payload: object): void;
    refuse(payload: object): void;
    circular(payload: object): object;
  };
  out: { said: { readonly text: string }; left: object; bye: object };
}
/** What is said there. */
export interface Topics {
  "room:*": RoomTopic;
  private: { out: { secret: object } };
  broken: { out: { secret: object } };
}

/** Who is connected: the param `id`, or somebody else each time. */
interface User {
  readonly id: string;
}

/** Where, and by whom. */
export interface Served {
  readonly url: string;
  readonly web: Endpoint<Topics, User>;
}

/** Serves rooms while `body` runs. */
export function served(
  body: (served: Served) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  const web = endpoint<Topics, User>("web");
  const room = web.channel("room:*", {
    schemas: "trusted",
    join: ({ as }) => ({ assigns: { as }, reply: as === undefined ? {} : { as } }),
    joined: (channel) => {
      if (channel.assigns.as !== undefined) channel.broadcast("said", { text: channel.assigns.as });
    },
    on: {
      say({ text }, channel) {
        channel.broadcast("said", { text });
        return { text };
      },
      whisper({ text }, channel) {
        channel.broadcastFrom("said", { text });
        return {};
      },
      later({ ms }, channel, later) {
        channel.after(ms, () => later.reply({ after: ms }));
        return later;
      },
      boom() {
        throw new Error("a secret");
      },
      quit: (_payload, channel) => channel.stop(),
      refuse() {
        throw new Refused({ reason: "no" });
      },
      circular() {
        const loop: { self?: object } = {};
        loop.self = loop;
        return loop;
      },
    },
    leave: (channel) => channel.push("left", {}),
  });
  const hidden = web.channel("private", {
    join() {
      throw new Refused({ reason: "unauthorized" });
    },
  });
  const broken = web.channel("broken", {
    join() {
      throw new Error("a secret");
    },
  });
  return withSystem(async () => {
    using _errors = expectErrors();
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          limits,
          sockets: {
            "/socket": {
              connect: ({ id = randomUUID() }) => ({ id }),
              id: ({ id }) => id,
              channels: [room, hidden, broken],
            },
          },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body({ url, web });
  });
}
