// What a join on a topic with history is told of the past, frame by frame, on the simulated Runtime.
import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import type { History, Joined } from "../definition.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import type { Limits } from "../limits.ts";
import { memoryTransport } from "./memory-transport.ts";

interface Line {
  readonly text: string;
}
interface Topics {
  "log:*": { out: { line: Line; other: Line }; history: true };
}
type Channel = Joined<Topics["log:*"], object, {}>;
type See = (line: Line, channel: Channel) => Line | undefined;
interface Frame {
  readonly event: string;
  readonly payload: {
    readonly status?: string;
    readonly text?: string;
    readonly reason?: string;
    readonly response?: {
      readonly reason?: string;
      readonly "~": {
        readonly epoch: string;
        readonly status?: string;
        readonly recent?: readonly { readonly payload: Line }[];
      };
    };
  };
}

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  /** Joins a topic, and gives what was told by then. */
  readonly join: (topic: string, params?: object) => Promise<readonly Frame[]>;
  /** What came since. */
  readonly got: () => readonly Frame[];
}
interface Setting {
  readonly history?: History;
  readonly limits?: Partial<Limits>;
  readonly see?: See;
}

function world(
  { history = { onJoin: 1_000 }, limits = {}, see }: Setting,
  body: (world: World) => Promise<void>,
): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const web = endpoint<Topics>("web");
      const log = web.channel("log:*", {
        join: () => ({ assigns: {} }),
        history,
        ...(see && { intercept: { line: see } }),
      });
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            limits,
            sockets: { "/socket": { connect: () => ({}), channels: [log] } },
          }),
        },
      });
      const socket = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
      const frames: Frame[] = [];
      socket.onmessage = ({ data }) => {
        const [, , , event, payload] = JSON.parse(data as string) as [
          0,
          0,
          0,
          string,
          Frame["payload"],
        ];
        frames.push({ event, payload });
      };
      socket.onclose = ({ code }) => frames.push({ event: `closed ${code}`, payload: {} });
      await new Promise<void>((resolve) => (socket.onopen = resolve));
      let refs = 0;
      const got = (): readonly Frame[] => frames.splice(0);
      const join = async (topic: string, params: object = {}): Promise<readonly Frame[]> => {
        const ref = String(++refs);
        socket.send(JSON.stringify([ref, ref, topic, "phx_join", params]));
        await simulation.advance(20);
        return got();
      };
      await body({ ...simulation, web, join, got });
      socket.close();
      await simulation.advance(50);
    },
    { seeds: 1 },
  );
}

const texts = (frames: readonly Frame[]): unknown[] =>
  frames.map(({ event, payload }) => payload.text ?? payload.response?.["~"].status ?? event);
const recentOf = ([first]: readonly Frame[]): readonly string[] =>
  first!.payload.response!["~"].recent!.map(({ payload }) => payload.text);

describe("an intercepted broadcast", () => {
  it("keeps its place in the history", () =>
    world({ see: ({ text }) => ({ text: `${text}!` }) }, async ({ web, join, got, advance }) => {
      await join("log:1");
      web.broadcast("log:1", "line", { text: "1" });
      await advance(1);
      expect(got()).toEqual([{ event: "line", payload: { text: "1!", "~": { offset: 1 } } }]);
    }));
});

describe("a topic with history whose broadcasts are intercepted", () => {
  it("is heard in the order of its log, also what is not intercepted", () =>
    world({ see: (line) => line }, async ({ web, join, got, advance }) => {
      await join("log:1");
      for (const n of [1, 2, 3])
        web.broadcast("log:1", n === 2 ? "other" : "line", { text: `${n}` });
      await advance(1);
      expect(texts(got())).toEqual(["1", "2", "3"]);
    }));

  it("tells a client from whom all is hidden where it stands: it asks for nothing of that again, and is told of no gap", () =>
    world(
      { history: { maxReplay: 5 }, see: (line) => (line.text === "seen" ? line : undefined) },
      async ({ web, join, got, advance }) => {
        const [first] = await join("log:1");
        const { epoch } = first!.payload.response!["~"];
        const say = (...said: readonly string[]): void => {
          for (const text of said) web.broadcast("log:1", "line", { text });
        };
        say(...Array.from({ length: 9 }, () => "hidden"));
        await advance(4_999);
        expect(got()).toEqual([]);
        await advance(10);
        expect(got()).toEqual([{ event: "~place", payload: { "~": { offset: 9 } } }]);
        // What is seen is a place, and nothing hidden is told twice.
        say("hidden", "seen");
        await advance(20_000);
        expect(got()).toEqual([{ event: "line", payload: { text: "seen", "~": { offset: 11 } } }]);
        say("hidden", "seen", "hidden");
        await advance(1);
        got();
        const again = await join("log:1", { since: { epoch, offset: 11 } });
        expect(texts(again)).toEqual(["resumed", "seen", "~place", "phx_close"]);
        expect(again.at(-2)!.payload).toEqual({ "~": { offset: 14 } });
        expect(texts(await join("log:1", { since: { epoch, offset: 14 } }))).toEqual([
          "resumed",
          "phx_close",
        ]);
      },
    ));

  it("has no hole that nobody is told of: a channel that is too busy ends, for a join with `since`", async () => {
    using _quiet = attach("sluice.log", () => {});
    await world(
      { history: { count: 20_000, maxReplay: 20_000, bytes: 10_000_000 }, see: (line) => line },
      async ({ web, join, got, advance }) => {
        await join("log:1");
        // No more than may be on its way to the log at once.
        for (let n = 1; n <= 10_001; n++) {
          if (n % 5_000 === 0) await web.publish("log:1", "line", { text: `${n}` });
          else web.broadcast("log:1", "line", { text: `${n}` });
        }
        await advance(100);
        const told = texts(got());
        expect(told.at(-1)).toBe("phx_error");
        const last = told.length - 1;
        expect(told.slice(0, last)).toEqual(Array.from({ length: last }, (_, n) => `${n + 1}`));
      },
    );
  });
});

describe("a topic", () => {
  it("has history or has none: two patterns for it that differ in this are refused", () => {
    interface Mixed {
      "a:*": { history: true };
      "a:b:*": {};
      "a:c": {};
      a: {};
      "a:d": { history: true };
    }
    const web = endpoint<Mixed>("web");
    const join = (): { assigns: {} } => ({ assigns: {} });
    web.channel("a:*", { join, history: {} });
    for (const pattern of ["a:b:*", "a:c"] as const)
      expect(() => web.channel(pattern, { join })).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    web.channel("a", { join });
    web.channel("a:d", { join, history: {} });
  });
});

describe("a join on a topic with history", () => {
  it("is not refused for what it is handed: bytes are counted as they go out", () =>
    world({}, async ({ web, join }) => {
      const text = "漢".repeat(5_000);
      for (let n = 0; n < 110; n++) web.broadcast("log:1", "line", { text });
      const recent = recentOf(await join("log:1"));
      expect(recent.length).toBeGreaterThan(30);
      expect(recent.length).toBeLessThanOrEqual(35);
    }));

  it("is handed as much as fits, also when its channel makes more of it", () =>
    world(
      {
        limits: { maxPayloadBytes: 2_000 },
        see: ({ text }) => ({ text: text.padEnd(300, ".") }),
      },
      async ({ web, join }) => {
        for (let n = 0; n < 20; n++) web.broadcast("log:1", "line", { text: `${n}` });
        const recent = recentOf(await join("log:1"));
        expect(recent.map((text) => text.slice(0, 2))).toEqual(["18", "19"]);
      },
    ));

  it("is handed the past as it was said, whatever became of the sender's object", () =>
    world({}, async ({ web, join }) => {
      const line = { text: "said" };
      web.broadcast("log:1", "line", line);
      line.text = "changed";
      expect(recentOf(await join("log:1"))).toEqual(["said"]);
    }));

  it("whose past cannot be shown fails once, and says nothing before", async () => {
    using _quiet = attach("sluice.log", () => {});
    const see: See = ({ text }) => {
      if (text === "2") throw new Error("a secret");
      return { text };
    };
    await world({ see }, async ({ web, join }) => {
      const { epoch } = await web.publish("log:1", "line", { text: "1" });
      for (const text of ["2", "3"]) web.broadcast("log:1", "line", { text });
      const frames = await join("log:1", { since: { epoch, offset: 0 } });
      expect(frames.map(({ payload }) => payload.response?.reason)).toEqual(["join crashed"]);
    });
  });

  it("replays no more than its client can bear, and says that this is a gap", () =>
    world(
      { history: { maxReplay: 1_000 }, limits: { maxPendingBytes: 20_000, lowMarkBytes: 1_000 } },
      async ({ web, join }) => {
        const { epoch } = await web.publish("log:1", "line", { text: "0" });
        const body = "x".repeat(1_000);
        for (let n = 1; n <= 100; n++) web.broadcast("log:1", "line", { text: `${n} ${body}` });
        const told = texts(await join("log:1", { since: { epoch, offset: 1 } }));
        expect(told.map((text) => String(text).split(" ")[0])).toEqual([
          "gap",
          ...Array.from({ length: 9 }, (_, n) => `${92 + n}`),
        ]);
      },
    ));
});

describe("a join with a `since` that can be no place", () => {
  it("is told of a reset and handed what there is, as one whose place is lost", () =>
    world({ history: {} }, async ({ web, join }) => {
      const { epoch } = await web.publish("log:1", "line", { text: "one" });
      const wrong: unknown[] = [
        { epoch, offset: -1 },
        { epoch, offset: 0.5 },
        { epoch, offset: "1" },
        { epoch, offset: 2 ** 53 },
        { epoch },
        { offset: 1 },
        { epoch: "", offset: 1 },
        { epoch: "x".repeat(65), offset: 1 },
        null,
        [],
        "here",
        0,
        false,
      ];
      for (const since of wrong) {
        const told = (await join("log:1", { since })).filter(({ event }) => event !== "phx_close");
        expect([since, texts(told)]).toEqual([since, ["reset", "one"]]);
      }
      // One that is not there at all is a first join, which this topic hands nothing.
      const [first] = await join("log:1");
      expect(first!.payload.response!["~"]).toEqual({ epoch, offset: 1, recent: [] });
    }));
});

interface Numbers {
  feed: { out: { said: { readonly n: number } }; history: true };
}

describe("clients of a topic with history", () => {
  it("says what their policy throws over join again, and the topic goes on for all others", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = attach("sluice.log", () => {});
        const web = endpoint<Numbers>("web");
        const latest = ({ n }: { readonly n: number }): string => {
          if (n === 1) throw new Error("its own");
          return "one";
        };
        const feed = web.channel("feed", {
          join: () => ({ assigns: {} }),
          history: {},
          slow: { latest },
        });
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            web: web.child({
              port: 0,
              sockets: { "/socket": { connect: () => ({}), channels: [feed] } },
            }),
          },
        });
        const socket = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
        const events: unknown[] = [];
        socket.onmessage = ({ data }) => {
          const [, , , event, { n }] = JSON.parse(data as string) as [
            0,
            0,
            0,
            string,
            { n?: number },
          ];
          events.push(n ?? event);
        };
        await new Promise<void>((resolve) => (socket.onopen = resolve));
        const join = (params: object): void =>
          socket.send(JSON.stringify(["1", "1", "feed", "phx_join", params]));
        join({});
        await advance(20);
        const { epoch } = await web.publish("feed", "said", { n: 1 });
        await advance(20);
        join({ since: { epoch, offset: 0 } });
        await advance(20);
        web.broadcast("feed", "said", { n: 2 });
        await advance(20);
        expect(events).toEqual(["phx_reply", "phx_error", "phx_reply", 1, 2]);
        socket.close();
        await advance(20);
      },
      { seeds: 3 },
    ));
});
