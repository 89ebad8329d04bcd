// What the compiler refuses in channels, and what it must not refuse. Nothing of this runs: `tsc` is the test.
import { z } from "zod";
import { currentSystem } from "sluice";
import { Refused, binary, fields } from "sluice/channels";
import type {
  Broadcast,
  Endpoint,
  EndpointOptions,
  Joined,
  Position,
  SocketOptions,
} from "sluice/channels";
import type { Topic } from "sluice/pubsub";

interface Push {
  readonly user: number;
  readonly text: string;
}
interface User {
  join(params: { readonly token: string }): void;
  in: { ack(payload: { readonly id: string }): { readonly left: number } };
  out: { push: Push };
}
interface Topics {
  "user:*": User;
  lobby: { out: { hello: { readonly n: number } } };
}
declare const web: Endpoint<Topics, { readonly userId: number }>;
const bound: typeof web = currentSystem().of(web);

web.broadcast("user:1", "push", { user: 1, text: "" });
// @ts-expect-error 31 an unknown topic
web.broadcast("usr:1", "push", { user: 1, text: "" });
// @ts-expect-error 32 an unknown event
web.broadcast("user:1", "pusch", { user: 1, text: "" });
// @ts-expect-error 33 a wrong payload
web.broadcast("user:1", "push", { user: 1 });
// @ts-expect-error 34 an event of another topic
web.broadcast("lobby", "push", { user: 1, text: "" });
// @ts-expect-error 35 an unknown pattern
web.channel("usr:*", { schemas: "trusted", join: () => ({ assigns: {} }), on: {} });
// @ts-expect-error 36 an event without a function for it
web.channel("user:*", { schemas: "trusted", join: () => ({ assigns: {} }), on: {} });
web.channel("user:*", {
  schemas: "trusted",
  join: () => ({ assigns: { n: 1 } }),
  // @ts-expect-error 37 a wrong reply
  on: { ack: () => ({ right: 1 }) },
});
web.channel("user:*", {
  schemas: "trusted",
  join: () => ({ assigns: { n: 1 } }),
  // @ts-expect-error 38 an unknown assign
  on: { ack: (_payload, channel) => ({ left: Number(channel.assigns.m) }) },
});
// @ts-expect-error 39 forgotten schemas
web.channel("user:*", { join: () => ({ assigns: {} }), on: { ack: () => ({ left: 1 }) } });
web.channel("user:*", {
  schemas: { join: fields({ token: "string" }), ack: fields({ id: "string" }) },
  join({ token }, { key, socket }) {
    if (Number(key) !== socket.assigns.userId) throw new Refused({ reason: "unauthorized" });
    return { assigns: { token, unread: 50 } };
  },
  joined: (channel) => channel.push("push", { user: 1, text: channel.assigns.token }),
  on: { ack: ({ id }, channel) => ({ left: (channel.assigns.unread -= id.length) }) },
  intercept: { push: (push, channel) => (push.text === channel.assigns.token ? undefined : push) },
});

const broadcast: Broadcast<Topics> = {
  topic: "user:7",
  event: "push",
  payload: { user: 7, text: "" },
};
// @ts-expect-error an event of another topic, as a value
const other: Broadcast<Topics> = { topic: "lobby", event: "push", payload: { user: 7, text: "" } };

interface Log {
  out: { line: { readonly text: string } };
  history: true;
}
interface Upload {
  join(params: { readonly token: string }): void;
  in: { part(payload: { readonly text: string }): { readonly size: number } };
}
interface More {
  log: Log;
  "upload:*": Upload;
  lobby: { out: { hello: { readonly n: number } } };
}
declare const more: Endpoint<More, {}>;
declare const logged: Joined<Log, {}, {}>;
declare const prices: Topic<{ readonly price: number }>;

const position: Promise<Position> = more.publish("log", "line", { text: "" });
more.channel("log", {
  join: () => ({ assigns: {} }),
  history: { count: 100, onJoin: 10 },
  slow: { latest: (line) => line.text },
});
more.channel("lobby", {
  join: () => ({ assigns: { last: 0 } }),
  joined: (channel) => {
    channel.push("hello", { n: 1 });
    channel.every(1_000, () => channel.broadcastFrom("hello", { n: 2 }));
  },
  subscribe: () => [prices],
  info: ({ price }, channel) => {
    channel.assigns.last = price;
  },
});
more.channel("upload:*", {
  schemas: { join: fields({ token: "string" }), part: fields({ text: "string" }) },
  join: () => ({ assigns: {} }),
  on: {
    part({ text }, channel, later) {
      channel.after(10, () => later.reply({ size: text.length }));
      return later;
    },
  },
});
// @ts-expect-error 43 the log is one for all
logged.broadcastFrom("line", { text: "" });
// What the compiler says of it is what to do.
export const advice: Parameters<typeof logged.broadcastFrom>[0] =
  "a topic with history has one log for all: use `broadcast`";
// @ts-expect-error 44 no history, no position
void more.publish("lobby", "hello", { n: 1 });
// @ts-expect-error 45 a wrong payload of a publication
void more.publish("log", "line", { txt: "" });
// @ts-expect-error 46 a contract with history needs its bounds
more.channel("log", { join: () => ({ assigns: {} }) });
// @ts-expect-error 47 history is declared in the contract first
more.channel("lobby", { join: () => ({ assigns: {} }), history: { count: 1 } });
// @ts-expect-error 48 only a sink can wait
more.channel("lobby", { join: () => ({ assigns: {} }), slow: "wait" });
more.channel("lobby", {
  join: () => ({ assigns: {} }),
  // @ts-expect-error what the topic carries has no such key
  slow: { latest: (hello) => String(hello.m) },
});
more.channel("lobby", {
  join: () => ({ assigns: {} }),
  subscribe: () => [prices],
  // @ts-expect-error 49 what the bus topic carries
  info: (message) => void message.prize,
});
more.channel("upload:*", {
  schemas: "trusted",
  join: () => ({ assigns: {} }),
  on: {
    part(_payload, _channel, later) {
      // @ts-expect-error 50 a wrong reply, later
      later.reply({ length: 1 });
      return later;
    },
  },
});
more.channel("upload:*", {
  // @ts-expect-error 52 a schema for other params
  schemas: { join: fields({ token: "number" }), part: fields({ text: "string" }) },
  join: () => ({ assigns: {} }),
  on: { part: ({ text }) => ({ size: text.length }) },
});

const socket: SocketOptions<{ userId: string }> = {
  connect({ token = "" }) {
    if (token === "") throw new Refused({ reason: "unauthorized" });
    return { userId: token };
  },
  id: ({ userId }) => `users:${userId}`,
  channels: [],
};
more.child({ port: 0, sockets: { "/socket": { connect: () => ({}), channels: [] } } });
// @ts-expect-error who may connect is always said
more.child({ port: 0, sockets: { "/socket": { channels: [] } } });
// @ts-expect-error a port, or a server that has one
const neither: EndpointOptions<{}> = { sockets: {} };
// @ts-expect-error any origin only by its dangerous name
const anyOrigin: EndpointOptions<{}> = { port: 0, sockets: {}, checkOrigin: false };
void [bound, broadcast, other, position, socket, neither, anyOrigin];

interface Files {
  join(params: { readonly token: string }): Uint8Array;
  in: { chunk(bytes: Uint8Array): { readonly size: number }; echo(bytes: Uint8Array): Uint8Array };
  out: { frame: Uint8Array };
}
declare const files: Endpoint<{ "upload:*": Files }, {}>;
files.broadcast("upload:1", "frame", Uint8Array.of(1));
files.broadcast("upload:1", "frame", Buffer.from("a"));
// @ts-expect-error 51 a binary payload
files.broadcast("upload:1", "frame", "text");
// @ts-expect-error 51 a binary payload
files.broadcast("upload:1", "frame", { bytes: Uint8Array.of(1) });
files.channel("upload:*", {
  schemas: { join: fields({ token: "string" }), chunk: binary(65_536), echo: binary(10) },
  join: () => ({ assigns: {}, reply: Uint8Array.of(1) }),
  on: {
    chunk(bytes, channel) {
      channel.push("frame", bytes.subarray(1));
      channel.broadcast("frame", bytes);
      return { size: bytes.length };
    },
    echo: (bytes) => bytes,
  },
  intercept: { frame: (bytes) => (bytes.length > 1 ? bytes.subarray(0, 1) : undefined) },
});
files.channel("upload:*", {
  // @ts-expect-error 52 a schema for other params
  schemas: { join: fields({ token: "number" }), chunk: binary(1), echo: binary(1) },
  join: () => ({ assigns: {}, reply: Uint8Array.of(1) }),
  on: { chunk: (bytes) => ({ size: bytes.length }), echo: (bytes) => bytes },
});

// Schemas that make something else of what is sent: the callbacks get that.
interface Booking {
  in: { book(payload: { readonly day: string }): { readonly weekday: number } };
  join(params: { readonly guest: string }): void;
}
declare const hotel: Endpoint<{ booking: Booking }, {}>;
hotel.channel("booking", {
  schemas: {
    join: z.object({ guest: z.string().transform((text) => text.length) }),
    book: z.object({ day: z.string().transform((text) => new Date(text)) }),
  },
  join: ({ guest }) => ({ assigns: { letters: guest.toFixed() } }),
  on: { book: ({ day }, { assigns }) => ({ weekday: day.getDay() + assigns.letters.length }) },
});
hotel.channel("booking", {
  schemas: {
    join: z.object({ guest: z.string() }),
    // @ts-expect-error it takes no text, which is what the contract sends
    book: z.object({ day: z.date() }),
  },
  join: () => ({ assigns: {} }),
  on: { book: () => ({ weekday: 1 }) },
});
hotel.channel("booking", {
  schemas: {
    join: z.object({ guest: z.string() }),
    book: z.object({ day: z.string().transform((text) => new Date(text)) }),
  },
  join: () => ({ assigns: {} }),
  // @ts-expect-error the schema has made a Date of it
  on: { book: ({ day }) => ({ weekday: String(day.length).length }) },
});
hotel.channel("booking", {
  // @ts-expect-error a forgotten schema
  schemas: { join: z.object({ guest: z.string() }) },
  join: () => ({ assigns: {} }),
  on: { book: () => ({ weekday: 1 }) },
});
