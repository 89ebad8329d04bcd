// R56: a stock client that missed more than its log can say before the client, or its endpoint, gives up a join.
import { Socket, type Channel } from "phoenix";
import { expect, it } from "vitest";
import { sleep, startSupervisor } from "sluice";
import { endpoint, type Endpoint, type HistoryEntry, type Limits } from "sluice/channels";
import { resumable } from "sluice/client";
import { MemoryLog, type Log, type Position } from "sluice/store";
import { attach, type TelemetryEvents } from "sluice/telemetry";
import { memoryTransport, simulate, type Simulation } from "sluice/testing";

interface Topics {
  feed: {
    out: {
      said: { readonly n: number };
      secret: { readonly n: number };
      note: { readonly text: string };
    };
    history: true;
  };
}
type Read = Log<HistoryEntry>["read"];

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  readonly channel: Channel;
  /** Says something to the client alone. */
  readonly note: (text: string) => void;
  readonly cut: () => void;
  /** Publishes so many, each with the number behind the last. */
  readonly say: (count: number) => Promise<Position>;
  /** Its log forgets all. */
  readonly drop: () => Promise<void>;
  readonly heard: number[];
  /** How often it was told that something is missing, and how often a join was answered. */
  readonly told: { lost: number; joined: number };
  /** The offsets that were asked for, each behind one. */
  readonly asked: number[];
  readonly joins: TelemetryEvents["sluice.history.joined"][];
  readonly losses: TelemetryEvents["sluice.history.lost"][];
}

interface Given {
  readonly bytes?: number;
  readonly limits?: Partial<Limits>;
  /** So long is its channel busy with its join. */
  readonly busyMs?: number;
}

/** An endpoint whose log is read from by `read`, and a stock client of it. */
function world(
  read: (store: Read) => Read,
  body: (world: World) => Promise<void>,
  { bytes = 2 ** 20, limits = {}, busyMs = 0 }: Given = {},
) {
  return simulate(
    async (simulation) => {
      using _quiet = attach("sluice.log", () => {});
      const [joins, losses]: [World["joins"], World["losses"]] = [[], []];
      using _joins = attach("sluice.history.joined", (event) => joins.push(event));
      using _losses = attach("sluice.history.lost", (event) => losses.push(event));
      const web = endpoint<Topics>("web");
      let note: World["note"] = () => {};
      const feed = web.channel("feed", {
        join: () => ({ assigns: {} }),
        joined(joined) {
          note = (text) => joined.push("note", { text });
          return busyMs === 0 ? undefined : sleep(busyMs);
        },
        history: { count: 20_000, maxReplay: 20_000, bytes },
        intercept: { secret: ({ n }) => (n % 2 === 0 ? { n } : undefined) },
      });
      const store = new MemoryLog<HistoryEntry>({ count: 20_000 });
      const asked: number[] = [];
      const slow = read((...question) => store.read(...question));
      const log: Log<HistoryEntry> = {
        append: (topic, entries) => store.append(topic, entries),
        read: (topic, after, limit) => {
          asked.push(after.offset);
          return slow(topic, after, limit);
        },
        last: (topic, count) => store.last(topic, count),
        tail: (topic, start, listener) => store.tail(topic, start, listener),
        drop: (topic) => store.drop(topic),
      };
      await using _app = await startSupervisor({
        strategy: "rest_for_one",
        children: {
          history: web.history({ log: () => log }),
          web: web.child({
            port: 4000,
            limits,
            sockets: { "/socket": { connect: () => ({}), channels: [feed] } },
          }),
        },
      });
      const transport = memoryTransport();
      const socket = new Socket("ws://localhost:4000/socket", {
        transport: transport as unknown as typeof WebSocket,
        timeout: 5_000,
        reconnectAfterMs: () => 100,
        rejoinAfterMs: () => 100,
      });
      const channel = socket.channel("feed", {});
      const told = { lost: 0, joined: 0 };
      const heard: number[] = [];
      resumable(channel, { lost: () => void told.lost++ });
      for (const event of ["said", "secret"])
        channel.on(event, ({ n }: { readonly n: number }) => void heard.push(n));
      channel.join().receive("ok", () => void told.joined++);
      socket.connect();
      await simulation.advance(20);
      let last = 0;
      const say = async (count: number): Promise<Position> => {
        const all = Array.from({ length: count }, () => web.publish("feed", "said", { n: ++last }));
        return (await Promise.all(all)).at(-1)!;
      };
      const cut = (): void => transport.sockets.at(-1)!.cut();
      const noted = (text: string): void => note(text);
      await body({
        ...simulation,
        web,
        channel,
        note: noted,
        cut,
        say,
        drop: () => store.drop("feed"),
        heard,
        told,
        asked,
        joins,
        losses,
      });
      await new Promise<void>((resolve) => socket.disconnect(resolve));
    },
    { seeds: 3 },
  );
}

/** So long for each entry that is read. */
const perEntry =
  (ms: number) =>
  (read: Read): Read =>
  async (...question) => {
    const found = await read(...question);
    await sleep(ms * found.entries.length);
    return found;
  };
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

it("is answered before it gives up, and handed the rest while it is read: it begins nothing anew (R56)", () =>
  world(perEntry(10), async ({ cut, say, advance, heard, told, asked, joins, losses }) => {
    await say(100);
    await advance(100);
    cut();
    await say(2_000);
    for (let more = 0; more < 400; more++) {
      await advance(100);
      await say(1);
    }
    await advance(100);
    expect(heard).toEqual(upTo(2_500));
    expect([told, losses]).toEqual([{ lost: 0, joined: 2 }, []]);
    expect(joins.map(({ status }) => status)).toEqual(["resumed"]);
    expect(joins[0]!.messages).toBeGreaterThanOrEqual(2_000);
    expect(asked).toEqual(asked.toSorted((one, other) => one - other));
  }));

it("whose log stops answering behind the reply joins again, with the place it has come to (R56)", () => {
  let isDead = false;
  return world(
    (read) =>
      (...question) =>
        isDead ? new Promise<never>(() => {}) : perEntry(10)(read)(...question),
    async ({ cut, say, advance, heard, told, asked, losses }) => {
      isDead = false;
      cut();
      await say(1_000);
      await advance(4_000);
      expect(heard.length).toBeGreaterThan(200);
      isDead = true;
      const place = heard.length;
      await advance(6_000);
      expect(losses).toEqual([
        { topic: "feed", why: "the log has not answered in 5000 ms", clients: 1 },
      ]);
      isDead = false;
      await advance(20_000);
      expect(heard).toEqual(upTo(1_000));
      expect(told.lost).toBe(0);
      expect(asked.filter((offset) => offset < place && offset > 0).length).toBeLessThan(
        place / 100,
      );
    },
  );
});

it("is told of when more is said behind the reply than is held for it, and goes on from where it is (R56)", () => {
  let isDead = false;
  return world(
    (read) =>
      (...question) =>
        isDead ? new Promise<never>(() => {}) : perEntry(10)(read)(...question),
    async ({ cut, say, advance, heard, told, losses }) => {
      isDead = false;
      cut();
      await say(600);
      await advance(4_000);
      isDead = true;
      await say(400);
      await advance(100);
      expect(losses).toEqual([
        { topic: "feed", why: "more was said meanwhile than is held", clients: 1 },
      ]);
      isDead = false;
      await advance(20_000);
      expect(heard).toEqual(upTo(1_000));
      expect(told.lost).toBe(0);
    },
    { limits: { maxPendingBytes: 50_000, lowMarkBytes: 10_000 } },
  );
});

it("whose log begins a new life behind the reply is told so once, and joins again (R56)", () =>
  world(perEntry(10), async ({ cut, say, drop, advance, heard, told, losses }) => {
    cut();
    await say(600);
    await advance(4_000);
    const { length } = heard;
    expect(length).toBeLessThan(600);
    await drop();
    await say(1);
    await advance(10_000);
    expect(losses).toEqual([{ topic: "feed", why: "reset", clients: 1 }]);
    expect(heard).toEqual([...upTo(length), 601]);
    expect(told).toEqual({ lost: 1, joined: 3 });
  }));

it("is not taken for slow for what it was told in the same turn (R56)", () => {
  let say: (text: string) => void = () => {};
  return world(
    (read) =>
      async (...question) => {
        const found = await perEntry(30)(read)(...question);
        say("x".repeat(20_000));
        return found;
      },
    async (world) => {
      world.cut();
      await world.say(150);
      say = world.note;
      await world.advance(10_000);
      expect(world.heard).toEqual(upTo(150));
      expect([world.told, world.losses]).toEqual([{ lost: 0, joined: 2 }, []]);
    },
    { bytes: 10_000 },
  );
});

it("is read for no longer when its channel is too busy to see so much, and joins again (R56)", () =>
  world(
    (read) =>
      async (...question) => {
        const found = await read(...question);
        await sleep(question[1].offset === 0 ? 3_000 : 10);
        return found;
      },
    async ({ cut, say, advance, asked }) => {
      await advance(15_000);
      cut();
      await say(6_000);
      await say(5_500);
      await advance(3_500);
      expect(asked.slice(asked.indexOf(9_200), 13)).toEqual([9_200, 100]);
    },
    { busyMs: 10_000 },
  ));

it("that is gone before its join is answered is waited for no longer (R56)", () => {
  let isDead = false;
  return world(
    (read) =>
      (...question) =>
        isDead ? new Promise<never>(() => {}) : read(...question),
    async ({ cut, say, advance, asked, heard }) => {
      isDead = false;
      cut();
      await say(10);
      isDead = true;
      await advance(200);
      expect(asked).toHaveLength(1);
      const ended: string[] = [];
      using _ended = attach("sluice.process.exited", ({ label }) => ended.push(label));
      cut();
      await advance(10);
      expect(ended).toEqual(["channel feed", "socket"]);
      isDead = false;
      await advance(200);
      expect(heard).toEqual(upTo(10));
    },
  );
});

it("that leaves meanwhile is read for no longer (R56)", () =>
  world(perEntry(10), async ({ channel, cut, say, advance, asked }) => {
    cut();
    await say(1_000);
    await advance(4_000);
    channel.leave();
    await advance(1_500);
    const { length } = asked;
    await advance(20_000);
    expect(asked).toHaveLength(length);
    expect(asked.at(-1)).toBeLessThan(700);
  }));

it("sees what is handed to it later as its channel lets it see it (R56)", () =>
  world(perEntry(10), async ({ web, cut, advance, heard }) => {
    cut();
    const all = upTo(600).map((n) => web.publish("feed", "secret", { n }));
    await Promise.all(all);
    await advance(15_000);
    expect(heard).toEqual(upTo(600).filter((n) => n % 2 === 0));
  }));
