// What the examples of attaching share: rooms whose members hear each other, at /socket, by WebSocket or long-polling.
import { endpoint, fields, type Endpoint, type SocketOptions } from "sluice/channels";

export interface Topics {
  "room:*": {
    in: { say(payload: { readonly text: string }): void };
    out: { said: { readonly text: string } };
  };
}
export const web: Endpoint<Topics, {}> = endpoint<Topics>("web");

const room = web.channel("room:*", {
  schemas: { join: fields({}), say: fields({ text: "string" }) },
  join: () => ({ assigns: {} }),
  on: { say: ({ text }, channel) => channel.broadcast("said", { text }) },
});

const socket: SocketOptions<{}> = { connect: () => ({}), channels: [room], longPoll: true };
export const sockets: { readonly "/socket": SocketOptions<{}> } = { "/socket": socket };
