// History through a log that is given: where publications go, what fails, and what clients are told.
import { describe, expect, it } from "vitest";
import { sleep, startSupervisor } from "../../process/index.ts";
import { MemoryLog, type Log, type Position } from "../../store/index.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import type { HistoryEntry } from "./history-entry.ts";
import type { HistoryLogOptions } from "./history-options.ts";
import { memoryTransport, type MemorySocket } from "../transport/memory-transport.ts";

interface Topics {
  feed: { out: { said: { readonly n: number } }; history: true };
  plain: { out: { said: { readonly n: number } } };
}
type Entries = Log<HistoryEntry>;
type Frame = readonly [unknown, unknown, string, string, Payload];
interface Payload {
  readonly n?: number;
  readonly status?: string;
  readonly response?: { readonly reason?: string; readonly "~"?: Position };
}

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  readonly store: MemoryLog<HistoryEntry>;
  readonly stop: () => Promise<void>;
  /** Entries that were not believed. */
  readonly refused: () => Promise<number>;
  readonly socket: MemorySocket;
  readonly send: (topic: string, event: string, payload?: object) => void;
  /** What came since, one word each. */
  readonly got: () => string[];
}

/** An endpoint with a log made of one in memory, and a client. */
function world(
  wrap: (store: Entries) => Entries,
  body: (world: World) => Promise<void>,
  options: Partial<HistoryLogOptions<Topics>> = {},
): Promise<unknown> {
  return simulate(
    async (simulation) => {
      using _quiet = attach("sluice.log", () => {});
      const web = endpoint<Topics>("web");
      const join = (): { assigns: {} } => ({ assigns: {} });
      const feed = web.channel("feed", { join, history: {} });
      const plain = web.channel("plain", { join });
      const store = new MemoryLog<HistoryEntry>();
      await using app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          history: web.history({ ...options, log: () => wrap(store) }),
          web: web.child({
            port: 0,
            limits: { historyTimeoutMs: 1_000, failedJoinsPerMinute: 3 },
            sockets: { "/socket": { connect: () => ({}), channels: [feed, plain] } },
          }),
        },
      });
      const socket = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
      const frames: string[] = [];
      socket.onmessage = ({ data }) => {
        const [, , topic, event, { n, status, response }] = JSON.parse(data as string) as Frame;
        frames.push(`${topic} ${n ?? response?.reason ?? status ?? event}`);
      };
      await new Promise<void>((resolve) => (socket.onopen = resolve));
      let ref = 0;
      const send = (topic: string, event: string, payload: object = {}): void => {
        socket.send(JSON.stringify([String(++ref), String(ref), topic, event, payload]));
      };
      const got = (): string[] => frames.splice(0);
      const stop = (): Promise<void> => app.stop();
      const refused = async (): Promise<number> =>
        (await app.children.history.call.backlog()).refused;
      await body({ ...simulation, web, store, stop, refused, socket, send, got });
      socket.close();
      await simulation.advance(20);
    },
    { seeds: 3 },
  );
}

/** A log that does some of what it is asked in another way. */
const but = (store: Entries, change: Partial<Entries>): Entries => ({
  append: (topic, entries) => store.append(topic, entries),
  read: (topic, after, limit) => store.read(topic, after, limit),
  last: (topic, count) => store.last(topic, count),
  tail: (topic, start, listener) => store.tail(topic, start, listener),
  drop: (topic) => store.drop(topic),
  ...change,
});
const never = new Promise<never>(() => {});

describe("a log given by `history`", () => {
  it("is where publications go, in the order of the calls, and where clients hear them from", () =>
    world(
      (store) => store,
      async ({ web, store, send, got, advance }) => {
        send("feed", "phx_join");
        await advance(20);
        web.broadcast("feed", "said", { n: 1 });
        const { offset } = await web.publish("feed", "said", { n: 2 });
        await store.append("feed", [{ event: "said", payload: '{"n":3}' }]);
        await advance(20);
        expect(offset).toBe(2);
        expect(got()).toEqual(["feed ok", "feed 1", "feed 2", "feed 3"]);
        const { entries } = await store.last("feed", 10);
        expect(entries.map(({ payload }) => payload)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
      },
    ));

  it("is tailed once per topic, from the first join to the last leave", () => {
    let tails = 0;
    return world(
      (store) =>
        but(store, {
          tail(topic, start, listener) {
            tails++;
            const tail = store.tail(topic, start, listener);
            return {
              [Symbol.dispose]() {
                tails--;
                tail[Symbol.dispose]();
              },
            };
          },
        }),
      async ({ send, socket, advance }) => {
        tails = 0;
        const other = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
        await new Promise<void>((resolve) => (other.onopen = resolve));
        send("feed", "phx_join");
        other.send(JSON.stringify(["1", "1", "feed", "phx_join", {}]));
        await advance(20);
        expect(tails).toBe(1);
        socket.cut();
        await advance(20);
        expect(tails).toBe(1);
        other.close();
        await advance(20);
        expect(tails).toBe(0);
      },
    );
  });

  it("is closed when its child ends, behind what is on its way to it", () => {
    const order: string[] = [];
    return world(
      (store) =>
        Object.assign(
          but(store, {
            async append(topic, entries) {
              await sleep(50);
              order.push("appended");
              return store.append(topic, entries);
            },
          }),
          { [Symbol.asyncDispose]: async () => void order.push("closed") },
        ),
      async ({ web, stop }) => {
        order.length = 0;
        const published = web.publish("feed", "said", { n: 1 });
        await stop();
        expect(await published).toMatchObject({ offset: 1 });
        expect(order).toEqual(["appended", "closed"]);
        await expect(web.publish("feed", "said", { n: 2 })).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
          retryable: true,
        });
      },
    );
  });
});

describe("a publication", () => {
  it("that the log does not answer in time is SLUICE_TIMEOUT, and still counts until it is answered", () =>
    world(
      (store) => but(store, { append: () => never }),
      async ({ web }) => {
        await expect(web.publish("feed", "said", { n: 1 })).rejects.toMatchObject({
          code: "SLUICE_TIMEOUT",
          details: { timeoutMs: 500 },
        });
        await expect(web.publish("feed", "said", { n: 2 })).rejects.toMatchObject({
          code: "SLUICE_LOG_BUSY",
          details: { endpoint: "web", limit: 1 },
          retryable: true,
        });
      },
      { maxAppends: 1, appendTimeoutMs: 500 },
    ));

  it("waits in a backlog that is bounded in bytes, but for one that is larger than that alone", () =>
    world(
      (store) => but(store, { append: () => never }),
      async ({ web }) => {
        const large = (): Promise<Position> => web.publish("feed", "said", { n: 1e20 });
        const first = large();
        await expect(large()).rejects.toMatchObject({ code: "SLUICE_LOG_BUSY" });
        await expect(first).rejects.toMatchObject({ code: "SLUICE_TIMEOUT" });
      },
      { maxAppendBytes: 10, appendTimeoutMs: 100 },
    ));

  it("that fails is told to whoever waits for it; a broadcast is counted and told to the telemetry", () =>
    world(
      (store) => but(store, { append: () => Promise.reject(new Error("the disk is full")) }),
      async ({ web, advance }) => {
        const failed: unknown[] = [];
        using _failed = attach("sluice.history.failed", ({ topic, reason }) =>
          failed.push([topic, (reason as Error).message]),
        );
        await expect(web.publish("feed", "said", { n: 1 })).rejects.toThrow("the disk is full");
        web.broadcast("feed", "said", { n: 2 });
        await advance(1);
        expect(failed).toEqual([["feed", "the disk is full"]]);
      },
    ));

  it("of what is no JSON is refused, and on a topic without history as well", () =>
    world(
      (store) => store,
      async ({ web }) => {
        const wrong = { n: 1n } as never;
        expect(() => web.broadcast("feed", "said", wrong)).toThrow("cannot be written as JSON");
        await expect(web.publish("feed", "said", wrong)).rejects.toMatchObject({
          code: "SLUICE_PAYLOAD_REFUSED",
        });
      },
    ));
});

describe("a join on a topic whose log", () => {
  it("does not answer is refused in time, holds up neither heartbeats nor other topics, and counts as no fault of the client", () =>
    world(
      (store) => but(store, { tail: () => ({ [Symbol.dispose]() {} }) }),
      async ({ send, got, advance }) => {
        for (let more = 0; more < 5; more++) {
          send("feed", "phx_join");
          send("plain", "phx_join");
          send("phoenix", "heartbeat");
          await advance(900);
          expect(got().toSorted()).toEqual(
            ["phoenix ok", "plain ok"].concat(more > 0 ? ["plain phx_close"] : []).toSorted(),
          );
          await advance(200);
          expect(got()).toEqual(["feed history unavailable"]);
        }
      },
    ));

  it("cannot be read is refused, and let in when it can be again", () => {
    let isBroken = true;
    return world(
      (store) =>
        but(store, {
          read: (...asked) =>
            isBroken ? Promise.reject(new Error("no route to host")) : store.read(...asked),
        }),
      async ({ web, send, got, advance }) => {
        isBroken = true;
        const { epoch } = await web.publish("feed", "said", { n: 1 });
        const since = { epoch, offset: 0 };
        send("feed", "phx_join", { since });
        await advance(20);
        expect(got()).toEqual(["feed history unavailable"]);
        isBroken = false;
        send("feed", "phx_join", { since });
        await advance(20);
        expect(got()).toEqual(["feed ok", "feed 1"]);
      },
    );
  });

  it("begins a new life between what was read and the reply: its client joins again, and goes on without a hole (R79)", () => {
    let isArmed = false;
    return world(
      (store) =>
        but(store, {
          async read(topic, after, limit) {
            const read = await store.read(topic, after, limit);
            if (!isArmed) return read;
            isArmed = false;
            // Behind all that waits for the read, before the channel's next turn.
            let soon = Promise.resolve();
            for (let step = 0; step < 10; step++) soon = soon.then(() => {});
            void soon.then(async () => {
              await store.drop("feed");
              await store.append("feed", [{ event: "said", payload: '{"n":3}' }]);
            });
            return read;
          },
        }),
      async ({ web, send, got, advance }) => {
        await web.publish("feed", "said", { n: 1 });
        const { epoch } = await web.publish("feed", "said", { n: 2 });
        isArmed = true;
        send("feed", "phx_join", { since: { epoch, offset: 0 } });
        await advance(20);
        expect(got()).toEqual(["feed ok", "feed 1", "feed 2", "feed phx_error"]);
        send("feed", "phx_join", { since: { epoch, offset: 2 } });
        await web.publish("feed", "said", { n: 4 });
        await advance(20);
        expect(got()).toEqual(["feed ok", "feed 3", "feed 4"]);
      },
    );
  });

  it("says more meanwhile than is held for one client is refused", () =>
    world(
      (store) => but(store, { read: () => never }),
      async ({ web, send, got, advance }) => {
        const { epoch } = await web.publish("feed", "said", { n: 1 });
        send("feed", "phx_join", { since: { epoch, offset: 0 } });
        await advance(20);
        for (let n = 0; n < 9_000; n++) web.broadcast("feed", "said", { n });
        await advance(20);
        expect(got()).toEqual(["feed history unavailable"]);
      },
    ));
});

describe("clients of a topic whose log", () => {
  it.each(["gap", "reset"] as const)(
    "tells of a %s join again, and are told so",
    async (status) => {
      let tell: (() => void) | undefined;
      await world(
        (store) =>
          but(store, {
            tail: (topic, start, listener) => {
              tell = () => listener({ status, entries: [], position: { epoch: "e", offset: 9 } });
              return store.tail(topic, start, listener);
            },
          }),
        async ({ send, got, advance }) => {
          const lost: unknown[] = [];
          using _lost = attach("sluice.history.lost", (event) => lost.push(event));
          send("feed", "phx_join");
          await advance(20);
          tell!();
          await advance(20);
          expect(got()).toEqual(["feed ok", "feed phx_error"]);
          expect(lost).toEqual([{ topic: "feed", why: status, clients: 1 }]);
          send("feed", "phx_join");
          await advance(20);
          expect(got()).toEqual(["feed ok"]);
        },
      );
    },
  );

  it("holds what is no broadcast hear the rest; it is counted, and what is oddly written is put right", () =>
    world(
      (store) => store,
      async ({ web, store, send, got, refused, advance }) => {
        send("feed", "phx_join");
        await advance(20);
        const told: unknown[] = [];
        using _told = attach("sluice.history.refused", (event) => told.push(event));
        const said = (payload: string): object => ({ event: "said", payload });
        const foreign = [
          { other: true },
          null,
          said("no JSON"),
          said('{"n":7'),
          said('{"n":7,}'),
          said('{"n":7}]'),
          said('{"n":7,"~":{"offset":9}}'),
          { event: "phx_close", payload: "{}" },
          { event: "~place", payload: "{}" },
        ];
        const odd = [said("{ }"), said('{"n":2 }'), said('{\n "n": 3}\n')];
        await store.append("feed", [...foreign, ...odd] as unknown as HistoryEntry[]);
        const { epoch } = await web.publish("feed", "said", { n: 1 });
        await advance(20);
        const heard = ["feed said", "feed 2", "feed 3", "feed 1"];
        expect(got()).toEqual(["feed ok", ...heard]);
        expect(told).toEqual([{ endpoint: "web", topic: "feed", count: 1 }]);
        send("feed", "phx_join", { since: { epoch, offset: 0 } });
        await advance(20);
        expect(got()).toEqual(["feed ok", ...heard, "feed phx_close"]);
        expect(await refused()).toBe(2 * foreign.length);
      },
    ));
});
