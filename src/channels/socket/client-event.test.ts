import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { simulate } from "../../testing/index.ts";
import { endpoint } from "../endpoint.ts";
import { memoryTransport } from "../transport/memory-transport.ts";

interface Room {
  in: { who(payload: object): object };
}

describe("ClientEvent", () => {
  it("calls a handler as a function, which has no `this`", () =>
    simulate(
      async ({ quiet }) => {
        const web = endpoint<{ room: Room }>("web");
        const room = web.channel("room", {
          schemas: "trusted",
          join: () => ({ assigns: {} }),
          on: {
            who(this: unknown) {
              return { isNobody: this === undefined };
            },
          },
        });
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            web: web.child({
              port: 0,
              sockets: { "/socket": { connect: () => ({}), channels: [room] } },
            }),
          },
        });
        const Line = memoryTransport(currentSystem());
        const line = new Line("ws://localhost/socket/websocket?vsn=2.0.0");
        const heard: unknown[] = [];
        line.onmessage = ({ data }) => heard.push((JSON.parse(data as string) as unknown[])[4]);
        await quiet();
        line.send(JSON.stringify(["1", "1", "room", "phx_join", {}]));
        line.send(JSON.stringify(["1", "2", "room", "who", {}]));
        await quiet();
        expect(heard.at(-1)).toEqual({ status: "ok", response: { isNobody: true } });
      },
      { seeds: 1 },
    ));
});
