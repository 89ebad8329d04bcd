// What is said by whoever is told of a hand-out while it goes on: everybody hears it in the order of speech.
import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { attach } from "../../telemetry/index.ts";
import { send } from "../delivery-api.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { memoryUrl } from "../transport/memory-listener.ts";
import { memoryTransport } from "../transport/memory-transport.ts";
import { currentSystem } from "../../runtime/internal.ts";

interface Rooms {
  "room:*": { out: { said: { readonly n: number }; raw: Uint8Array; mute: Uint8Array } };
}

type Speaker = Record<"push" | "broadcastFrom", (event: "said", payload: { n: number }) => void>;

const topics = ["room:1", "room:2", "room:3"] as const;

interface World extends Simulation {
  readonly web: Endpoint<Rooms, {}>;
  /** Those of the first client, one for each topic, then those of the next. */
  readonly channels: readonly Speaker[];
  /** What a client that has joined all topics hears: `[topic, n]`, and of bytes `["raw", the last]`. */
  readonly connect: (vsn: "1.0.0" | "2.0.0") => Promise<readonly unknown[]>;
}

/** A client of version 1 takes no bytes: that is told in the midst of the hand-out. */
function world(body: (world: World) => Promise<void>): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const { quiet } = simulation;
      const web = endpoint<Rooms>("web");
      const channels: Speaker[] = [];
      const rooms = web.channel("room:*", {
        join: () => ({ assigns: {} }),
        joined: (channel) => void channels.push(channel),
      });
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [rooms] } },
          }),
        },
      });
      const Line = memoryTransport(currentSystem());
      const connect: World["connect"] = async (vsn) => {
        const line = new Line(`${memoryUrl(currentSystem(), "web").href}?vsn=${vsn}`);
        const heard: unknown[] = [];
        line.onmessage = ({ data }) => {
          if (typeof data !== "string")
            return void heard.push(["raw", new Uint8Array(data).at(-1)]);
          const said = JSON.parse(data) as unknown;
          const { topic, payload } = (
            Array.isArray(said) ? { topic: said[2] as unknown, payload: said[4] as unknown } : said
          ) as { readonly topic: string; readonly payload: { readonly n?: number } };
          if (payload.n !== undefined) heard.push([topic, payload.n]);
        };
        await quiet();
        for (const topic of topics) {
          line.send(
            JSON.stringify(
              vsn === "2.0.0"
                ? ["1", "1", topic, "phx_join", {}]
                : { topic, event: "phx_join", payload: {}, ref: "1" },
            ),
          );
          await quiet();
        }
        return heard;
      };
      await body({ ...simulation, web, channels, connect });
    },
    { seeds: 10 },
  );
}

describe("whoever is told of a hand-out and speaks at once", () => {
  it.each([
    [
      "of what goes out at the end of the turn",
      {},
      [
        [1, 2, 4, 5],
        [1, 2, 3],
        [1, 2, 4],
      ],
    ],
    [
      "of what its sender waits for",
      { slow: "wait" },
      [
        [2, 4, 5, 1],
        [2, 3, 1],
        [2, 4, 1],
      ],
    ],
  ] as const)(
    "is heard behind it, by each member as it was said: %s (C42)",
    async (_, options, said) => {
      await world(async ({ web, channels, connect, quiet }) => {
        const heard = [await connect("1.0.0"), await connect("2.0.0"), await connect("2.0.0")];
        const [old, speaker] = [channels[0]!, channels[topics.length]!];
        using _speaks = attach("sluice.channels.refused", () => {
          web.broadcast("room:1", "said", { n: 2 });
          speaker.push("said", { n: 3 });
          speaker.broadcastFrom("said", { n: 4 });
          old.push("said", { n: 5 });
        });
        void send(web, currentSystem(), "room:1", "raw", new Uint8Array([9]), options);
        web.broadcast("room:1", "said", { n: 1 });
        await quiet();
        const expected = said.map((all) => all.map((n) => ["room:1", n]));
        const [first, ...others] = expected;
        expect(heard).toEqual([first, ...others.map((all) => [["raw", 9], ...all])]);
      });
    },
  );
});

describe("what is said while something else is handed out", () => {
  it("is heard at the end of the turn, though whoever is told of that speaks on a third topic (C42)", () =>
    world(async ({ web, connect, quiet }) => {
      const heard = await connect("1.0.0");
      using _speaks = attach("sluice.channels.refused", () =>
        web.broadcast("room:3", "said", { n: 1 }),
      );
      web.broadcast("room:1", "raw", new Uint8Array([1]));
      web.broadcast("room:2", "said", { n: 2 });
      await quiet();
      expect(heard).toEqual([
        ["room:3", 1],
        ["room:2", 2],
      ]);
    }));

  it("is heard in the order it was said, by whoever is on both topics, though two are told in turn and speak (C42)", () =>
    world(async ({ web, connect, quiet }) => {
      const [old, other] = [await connect("1.0.0"), await connect("2.0.0")];
      using _first = attach("sluice.channels.refused", ({ what }) => {
        if (!what.startsWith("raw")) return;
        web.broadcast("room:1", "mute", new Uint8Array([2]));
        web.broadcast("room:2", "said", { n: 4 });
      });
      using _second = attach("sluice.channels.refused", ({ what }) => {
        if (what.startsWith("mute")) web.broadcast("room:2", "said", { n: 3 });
      });
      web.broadcast("room:2", "raw", new Uint8Array([1]));
      await quiet();
      expect(old).toEqual([
        ["room:2", 3],
        ["room:2", 4],
      ]);
      expect(other).toEqual([["raw", 1], ["raw", 2], ...old]);
    }));

  it("is heard by a member that speaks itself, and is handed before what it has coming (C42)", () =>
    world(async ({ web, channels, connect, quiet }) => {
      const heard = await connect("1.0.0");
      using _speaks = attach("sluice.channels.refused", () =>
        web.broadcast("room:1", "said", { n: 1 }),
      );
      web.broadcast("room:1", "raw", new Uint8Array([1]));
      channels[0]!.broadcastFrom("said", { n: 2 });
      await quiet();
      expect(heard).toEqual([["room:1", 1]]);
    }));
});
