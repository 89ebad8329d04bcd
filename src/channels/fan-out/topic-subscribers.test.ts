// In which order clients are told what comes in one turn: raw frames, as they arrive.
import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { memoryUrl } from "../transport/memory-listener.ts";
import { memoryTransport } from "../transport/memory-transport.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { fields } from "../schema.ts";

interface Topics {
  "t:*": {
    in: { run(payload: { readonly script: string }): void };
    out: { b: { readonly n: number }; i: { readonly n: number }; p: { readonly n: number } };
  };
}
type Web = Endpoint<Topics, {}>;

/** One client: what it says, and what it has heard, as `topic event n`. */
interface Listener {
  readonly heard: string[];
  readonly say: (topic: string, event: string, payload?: object) => void;
}

interface World extends Simulation {
  readonly web: Web;
  readonly connect: () => Promise<Listener>;
}

function world(seeds: number, body: (world: World) => Promise<void>): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const web = endpoint<Topics>("web");
      let n = 0;
      const channel = web.channel("t:*", {
        schemas: { join: fields({}), run: fields({ script: "string" }) },
        join: () => ({ assigns: {} }),
        intercept: { i: (payload) => payload },
        on: {
          // One letter, one step of one callback: Broadcast, broadcast From, Push, Intercepted, to another topic (X).
          run({ script }, joined) {
            for (const step of script) {
              const payload = { n: n++ };
              if (step === "B") joined.broadcast("b", payload);
              else if (step === "F") joined.broadcastFrom("b", payload);
              else if (step === "P") joined.push("p", payload);
              else if (step === "I") joined.broadcast("i", payload);
              else web.broadcast("t:x", "b", payload);
            }
          },
        },
      });
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
          }),
        },
      });
      const Line = memoryTransport(currentSystem());
      const url = `${memoryUrl(currentSystem(), "web").href}?vsn=2.0.0`;
      const connect = async (): Promise<Listener> => {
        const line = new Line(url);
        const heard: string[] = [];
        let ref = 0;
        line.onmessage = ({ data }) => {
          const [, , topic, event, payload] = JSON.parse(data as string) as [
            unknown,
            unknown,
            string,
            string,
            { readonly n?: number },
          ];
          heard.push([topic, event, ...(payload.n === undefined ? [] : [payload.n])].join(" "));
        };
        const say: Listener["say"] = (topic, event, payload = {}) =>
          line.send(JSON.stringify([null, String(++ref), topic, event, payload]));
        await simulation.quiet();
        for (const topic of ["t:1", "t:x"]) say(topic, "phx_join");
        await simulation.quiet();
        heard.length = 0;
        return { heard, say };
      };
      await body({ ...simulation, web, connect });
    },
    { seeds },
  );
}

describe("what is told in one turn", () => {
  it("keeps its order on one topic, on several, and among pushes and replies (C42)", () =>
    world(20, async ({ connect, quiet }) => {
      const [mine, his] = [await connect(), await connect()];
      mine.say("t:1", "run", { script: "BBPBXBFFBP" });
      await quiet();
      expect(mine.heard).toEqual([
        "t:1 b 0",
        "t:1 b 1",
        "t:1 p 2",
        "t:1 b 3",
        "t:x b 4",
        "t:1 b 5",
        "t:1 b 8",
        "t:1 p 9",
        "t:1 phx_reply",
      ]);
      expect(his.heard).toEqual(
        [0, 1, 3, 4, 5, 6, 7, 8].map((n) => `t:${n === 4 ? "x" : 1} b ${n}`),
      );
    }));

  it("comes behind the reply where it is intercepted, for whoever said it; all others see it when their channels do (C42)", () =>
    world(20, async ({ connect, quiet }) => {
      const [mine, his] = [await connect(), await connect()];
      mine.say("t:1", "run", { script: "IBIP" });
      await quiet();
      expect(mine.heard).toEqual(["t:1 b 1", "t:1 p 3", "t:1 phx_reply", "t:1 i 0", "t:1 i 2"]);
      expect(his.heard.toSorted()).toEqual(["t:1 b 1", "t:1 i 0", "t:1 i 2"]);
    }));

  it("reaches whoever was there, and nobody who came later or has left", () =>
    world(20, async ({ web, connect, quiet }) => {
      const [stays, leaves] = [await connect(), await connect()];
      web.broadcast("t:1", "b", { n: 1 });
      leaves.say("t:1", "phx_leave");
      await quiet();
      web.broadcast("t:1", "b", { n: 2 });
      const late = await connect();
      web.broadcast("t:1", "b", { n: 3 });
      await quiet();
      expect(stays.heard).toEqual(["t:1 b 1", "t:1 b 2", "t:1 b 3"]);
      expect(leaves.heard).toEqual(["t:1 b 1", "t:1 phx_reply", "t:1 phx_close"]);
      expect(late.heard).toEqual(["t:1 b 3"]);
    }));

  it("is handed out in pieces when it is much", () =>
    world(1, async ({ web, connect, quiet }) => {
      const listener = await connect();
      for (let n = 0; n < 20_000; n++) web.broadcast("t:1", "b", { n });
      await quiet();
      expect(listener.heard).toEqual(Array.from({ length: 20_000 }, (_, n) => `t:1 b ${n}`));
    }));

  it("is the same for all who hear the same, whatever scripts run at once", () =>
    world(50, async ({ connect, quiet }) => {
      const all = [await connect(), await connect(), await connect()];
      for (const [at, script] of ["BXPBF", "XXBPB", "FBPXB"].entries())
        all[at]!.say(at === 1 ? "t:x" : "t:1", "run", { script });
      await quiet();
      for (const { heard } of all) {
        const numbers = heard.flatMap((line) =>
          line.includes(" b ") ? Number(line.split(" ")[2]) : [],
        );
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    }));
});

interface Said {
  room: { out: { said: { readonly n: number } } };
}

describe("a policy of users that throws", () => {
  it("refuses the broadcast to its sender; it is asked once for each, and what comes next is heard by all", () =>
    simulate(
      async ({ advance }) => {
        const web = endpoint<Said>("web");
        const asked: number[] = [];
        const latest = ({ n }: { readonly n: number }): string => {
          asked.push(n);
          if (n === 1) throw new Error("its own");
          return "one";
        };
        const room = web.channel("room", { join: () => ({ assigns: {} }), slow: { latest } });
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            web: web.child({
              port: 0,
              sockets: { "/socket": { connect: () => ({}), channels: [room] } },
            }),
          },
        });
        const heard: unknown[] = [];
        const Line = memoryTransport(currentSystem());
        const url = memoryUrl(currentSystem(), "web").href;
        // Of both versions: each has frames of its own.
        const lines = ["1.0.0", "2.0.0", "2.0.0"].map((vsn) => {
          const line = new Line(`${url}?vsn=${vsn}`);
          line.onmessage = ({ data }) => {
            const said = JSON.parse(data as string) as unknown;
            const payload = (
              Array.isArray(said) ? said[4] : (said as { payload: unknown }).payload
            ) as { readonly n?: number };
            if (payload.n !== undefined) heard.push(payload.n);
          };
          line.onopen = () =>
            line.send(
              JSON.stringify(
                vsn === "2.0.0"
                  ? ["1", "1", "room", "phx_join", {}]
                  : { topic: "room", event: "phx_join", payload: {}, ref: "1" },
              ),
            );
          return line;
        });
        await advance(50);
        expect(() => web.broadcast("room", "said", { n: 1 })).toThrow("its own");
        web.broadcast("room", "said", { n: 2 });
        await advance(50);
        web.broadcast("room", "said", { n: 3 });
        await advance(50);
        expect(heard).toEqual([2, 2, 2, 3, 3, 3]);
        expect(asked).toEqual([1, 2, 3]);
        for (const line of lines) line.close();
        await advance(50);
      },
      { seeds: 1 },
    ));
});
