// The life of a channel, frame by frame, on the simulated Runtime.
import { describe, expect, it } from "vitest";
import { sleep, startSupervisor } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import type { JoinResult, Joined } from "../definition.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { memoryTransport, type MemorySocket } from "../transport/memory-transport.ts";
import { Refused } from "../refused.ts";

interface TopicSubscribers {
  join(params: { readonly ms?: number; readonly refuse?: true }): object;
  in: {
    work(payload: { readonly ms: number }): { readonly worked: number };
    later(payload: object): object;
    tools(payload: object): object;
    who(payload: object): object;
  };
  out: { news: { readonly n: number }; tick: object };
}
interface Topics {
  "room:*": TopicSubscribers;
}
type Frame = readonly [string | null, string | null, string, string, unknown];
type Channel = Joined<TopicSubscribers, { readonly id: number }, {}>;

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  readonly socket: MemorySocket;
  readonly log: string[];
  /** Frames that came since the last look, with the text of their last part. */
  readonly got: () => string[];
  readonly send: (...frame: Frame) => void;
  readonly channels: Channel[];
  readonly stop: () => Promise<void>;
}

function world(body: (world: World) => Promise<void>, seeds = 5): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const web = endpoint<Topics>("web");
      const log: string[] = [];
      const channels: Channel[] = [];
      let ids = 0;
      const room = web.channel("room:*", {
        schemas: "trusted",
        async join(
          { ms = 0, refuse },
          joining,
        ): Promise<JoinResult<TopicSubscribers, { id: number }>> {
          const id = ++ids;
          log.push(`join ${id}`);
          expect(() => joining.push("tick", {})).toThrow(
            expect.objectContaining({ code: "SLUICE_PAYLOAD_REFUSED" }),
          );
          if (ms > 0) await sleep(ms);
          if (refuse) throw new Refused({ reason: "no" });
          return { assigns: { id }, reply: { id } };
        },
        joined: (channel) => void channels.push(channel),
        on: {
          async work({ ms }) {
            await sleep(ms);
            return { worked: ms };
          },
          who(this: unknown) {
            return { isNobody: this === undefined };
          },
          later: (_payload, channel, later) => {
            channel.after(50, () => later.refuse({ reason: "too late" }));
            channel.after(100, () => later.reply({}));
            return later;
          },
          tools(_payload, channel) {
            channel.every(100, () => channel.push("tick", {}));
            channel.task(
              async () => 7,
              (result) =>
                channel.push("news", { n: result.status === "fulfilled" ? result.value : 0 }),
            );
            return { pid: channel.pid.replace(/\d+/, "N"), aborted: channel.signal.aborted };
          },
        },
        async leave({ assigns }) {
          log.push(`leave ${assigns.id}`);
          await sleep(20, new AbortController().signal);
          log.push(`left ${assigns.id}`);
        },
      });
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), id: () => "me", channels: [room] } },
          }),
        },
      });
      const socket = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
      const frames: string[] = [];
      socket.onmessage = ({ data }) => {
        const [joinRef, ref, , event, payload] = JSON.parse(data as string) as Frame;
        const text = JSON.stringify((payload as { response?: object }).response ?? payload);
        frames.push(`${joinRef} ${ref} ${event} ${text}`);
      };
      socket.onclose = ({ code }) => frames.push(`closed ${code}`);
      await new Promise<void>((resolve) => (socket.onopen = resolve));
      await body({
        ...simulation,
        web,
        socket,
        log,
        channels,
        got: () => frames.splice(0),
        send: (...frame) => socket.send(JSON.stringify(frame)),
        stop: () => app.stop(),
      });
      socket.close();
      await simulation.advance(50);
    },
    { seeds },
  );
}

describe("a handler", () => {
  it("is called as a function, which has no `this`", () =>
    world(async ({ send, got, quiet }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "who", {});
      await quiet();
      expect(got().at(-1)).toBe('1 2 phx_reply {"isNobody":true}');
    }));
});

describe("a join that takes its time", () => {
  it("holds up neither other topics nor heartbeats; its own events wait for it, and pushes are refused till then (C36)", () =>
    world(async ({ send, got, advance, web }) => {
      send("1", "1", "room:slow", "phx_join", { ms: 400 });
      send("1", "2", "room:slow", "work", { ms: 0 });
      send(null, "3", "phoenix", "heartbeat", {});
      send("4", "4", "room:quick", "phx_join", {});
      await advance(10);
      web.broadcast("room:slow", "news", { n: 1 });
      expect(got().toSorted()).toEqual(['4 4 phx_reply {"id":2}', "null 3 phx_reply {}"]);
      await advance(400);
      expect(got()).toEqual(['1 1 phx_reply {"id":1}', '1 2 phx_reply {"worked":0}']);
    }, 1));

  it("that is refused leaves its events unmatched, and its leave left", () =>
    world(async ({ send, got, advance, log }) => {
      send("1", "1", "room:slow", "phx_join", { ms: 400, refuse: true });
      send("1", "2", "room:slow", "work", { ms: 0 });
      send("1", "3", "room:slow", "phx_leave", {});
      await advance(500);
      expect(got()).toEqual([
        '1 1 phx_reply {"reason":"no"}',
        'null 2 phx_reply {"reason":"unmatched topic"}',
        "1 3 phx_reply {}",
      ]);
      expect(log).toEqual(["join 1"]);
    }));

  it("ends with its client", () =>
    world(async ({ send, socket, advance, log }) => {
      send("1", "1", "room:slow", "phx_join", { ms: 1_000 });
      await advance(10);
      socket.close();
      await advance(2_000);
      expect(log).toEqual(["join 1"]);
    }));
});

describe("a second join of a topic", () => {
  it("waits for the end of the first, whose last word comes behind the new reply (C48)", () =>
    world(async ({ send, got, advance, log, web }) => {
      send("1", "1", "room:1", "phx_join", {});
      await advance(1);
      send("2", "2", "room:1", "phx_join", {});
      await advance(10);
      web.broadcast("room:1", "news", { n: 1 });
      await advance(20);
      web.broadcast("room:1", "news", { n: 2 });
      await advance(1);
      expect(got()).toEqual([
        '1 1 phx_reply {"id":1}',
        '2 2 phx_reply {"id":2}',
        "1 1 phx_close {}",
        'null null news {"n":2}',
      ]);
      expect(log).toEqual(["join 1", "leave 1", "left 1", "join 2"]);
    }));

  it("kills a first that is busy for too long (C48)", () =>
    world(async ({ send, got, advance, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "work", { ms: 60_000 });
      await advance(1);
      send("2", "3", "room:1", "phx_join", {});
      await advance(11_000);
      expect(got()).toEqual([
        '1 1 phx_reply {"id":1}',
        '2 3 phx_reply {"id":2}',
        "1 1 phx_close {}",
      ]);
      expect(log.filter((line) => line.startsWith("join"))).toEqual(["join 1", "join 2"]);
    }));

  it("that is left while it still waits for the end of the first is joined and left when that has come (C48)", () =>
    world(async ({ send, got, advance, web, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      await advance(1);
      send("2", "2", "room:1", "phx_join", {});
      send("2", "3", "room:1", "phx_leave", {});
      await advance(100);
      web.broadcast("room:1", "news", { n: 1 });
      await advance(10);
      expect(got()).toEqual([
        '1 1 phx_reply {"id":1}',
        '2 2 phx_reply {"id":2}',
        "1 1 phx_close {}",
        "2 3 phx_reply {}",
        "2 2 phx_close {}",
      ]);
      expect(log).toEqual(["join 1", "leave 1", "left 1", "join 2", "leave 2", "left 2"]);
    }));

  it("is replaced by a third, and all are closed that were", () =>
    world(async ({ send, got, advance }) => {
      for (const ref of ["1", "2", "3"]) send(ref, ref, "room:1", "phx_join", { ms: 10 });
      await advance(100);
      const frames = got();
      expect(frames).toEqual([
        expect.stringMatching(/^3 3 phx_reply/),
        "1 1 phx_close {}",
        "2 2 phx_close {}",
      ]);
    }));
});

describe("a joined channel", () => {
  it("is a process, with timers and tasks, which end with it (C34)", () =>
    world(async ({ send, got, advance }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "tools", {});
      await advance(250);
      expect(got().slice(1)).toEqual([
        '1 2 phx_reply {"pid":"channel room:*#N","aborted":false}',
        '1 null news {"n":7}',
        "1 null tick {}",
        "1 null tick {}",
      ]);
      send("1", "3", "room:1", "phx_leave", {});
      await advance(500);
      expect(got().filter((frame) => frame.includes("tick"))).toEqual([]);
    }));

  it("answers later once, by the first word, and not after it has ended (C39)", () =>
    world(async ({ send, got, advance }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "later", {});
      await advance(200);
      expect(got().slice(1)).toEqual(['1 2 phx_reply {"reason":"too late"}']);
      send("1", "3", "room:1", "later", {});
      send("1", "4", "room:1", "phx_leave", {});
      await advance(200);
      expect(got()).toEqual(["1 4 phx_reply {}", "1 1 phx_close {}"]);
    }));

  it("hears nothing from its leave on, while `leave` still runs", () =>
    world(async ({ send, got, advance, web, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "phx_leave", {});
      await advance(10);
      expect(log).toEqual(["join 1", "leave 1"]);
      web.broadcast("room:1", "news", { n: 1 });
      await advance(20);
      expect(got().slice(1)).toEqual(["1 2 phx_reply {}", "1 1 phx_close {}"]);
    }));

  it("leaves when its user is disconnected: 1001, and what it said last is not for anybody (C9, C47, L63)", () =>
    world(async ({ send, got, advance, web, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      await advance(1);
      send("1", "2", "room:1", "work", { ms: 0 });
      web.disconnect("you");
      await advance(1);
      send("1", "3", "room:1", "work", { ms: 500 });
      send("1", "4", "room:1", "work", { ms: 0 });
      await advance(1);
      web.disconnect("me");
      await advance(100);
      expect(got().slice(1)).toEqual(['1 2 phx_reply {"worked":0}', "closed 1001"]);
      expect(log).toEqual(["join 1", "leave 1", "left 1"]);
    }));

  it("handles what came before its leave, and runs `leave` once", () =>
    world(async ({ send, got, advance, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "work", { ms: 30 });
      send("1", "3", "room:1", "phx_leave", {});
      send("1", "4", "room:1", "phx_leave", {});
      send("1", "5", "room:1", "work", { ms: 30 });
      await advance(200);
      expect(got().slice(1)).toEqual([
        '1 2 phx_reply {"worked":30}',
        "1 3 phx_reply {}",
        "1 4 phx_reply {}",
        'null 5 phx_reply {"reason":"unmatched topic"}',
        "1 1 phx_close {}",
      ]);
      expect(log).toEqual(["join 1", "leave 1", "left 1"]);
    }));

  it("has some seconds for its client's last words, and is stopped then", () =>
    world(async ({ send, socket, advance, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "work", { ms: 4_000 });
      send("2", "3", "room:2", "phx_join", {});
      send("2", "4", "room:2", "work", { ms: 60_000 });
      await advance(10);
      socket.close();
      await advance(4_500);
      expect(log.slice(2)).toEqual([expect.stringMatching("leave"), expect.stringMatching("left")]);
      await advance(2_500);
      expect(log.slice(4)).toEqual([expect.stringMatching("leave"), expect.stringMatching("left")]);
    }));

  it("ends in order, or is told as a crash, as its reason says", async () => {
    using _quiet = attach("sluice.log", () => {});
    await world(async ({ send, got, advance, channels, log }) => {
      for (const [n, reason] of [
        [1, "normal"],
        [2, { shutdown: "enough" }],
        [3, { crash: new Error("a secret") }],
      ] as const) {
        send(`${n}`, `${n}`, `room:${n}`, "phx_join", {});
        await advance(1);
        channels[n - 1]!.stop(reason);
        await advance(50);
        channels[n - 1]!.push("tick", {});
        channels[n - 1]!.broadcast("tick", {});
      }
      await advance(1);
      expect(got().filter((frame) => !frame.includes("phx_reply"))).toEqual([
        "1 1 phx_close {}",
        "2 2 phx_close {}",
        expect.stringMatching(/^3 3 phx_error \{"reason":"channel_crash","id":"[0-9a-z]{10}"\}$/),
      ]);
      expect(log.filter((line) => line.startsWith("leave"))).toEqual(["leave 1", "leave 2"]);
    });
  });

  it("hears a system's endpoint through whatever binds to it", () =>
    world(async ({ send, got, advance, web }) => {
      send("1", "1", "room:1", "phx_join", {});
      await advance(1);
      currentSystem().of(web).broadcast("room:1", "news", { n: 1 });
      endpoint<Topics>("web").broadcast("room:1", "news", { n: 2 });
      endpoint<Topics>("other").broadcast("room:1", "news", { n: 3 });
      await advance(1);
      expect(got().slice(1)).toEqual(['null null news {"n":1}', 'null null news {"n":2}']);
    }));
});

describe("an endpoint that stops", () => {
  it("answers what was asked, runs `leave`, and closes 1012 (R78)", () =>
    world(async ({ send, got, advance, stop, log }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "work", { ms: 300 });
      await advance(100);
      await stop();
      await advance(1);
      expect(got()).toEqual([
        '1 1 phx_reply {"id":1}',
        '1 2 phx_reply {"worked":300}',
        "closed 1012",
      ]);
      expect(log).toEqual(["join 1", "leave 1", "left 1"]);
    }));

  it("does not wait for what takes too long", () =>
    world(async ({ send, got, advance, stop }) => {
      send("1", "1", "room:1", "phx_join", {});
      send("1", "2", "room:1", "work", { ms: 60_000 });
      await advance(100);
      const before = currentSystem().runtime.now();
      await stop();
      expect(currentSystem().runtime.now() - before).toBeLessThan(10_100);
      await advance(1);
      expect(got()).toEqual(['1 1 phx_reply {"id":1}', "closed 1012"]);
    }));
});
