// R56: a stock client that missed more than its log can say before the client, or its endpoint, gives up a join.
import { Socket, type Channel } from "phoenix";
import { expect, it } from "vitest";
import { sleep, startSupervisor } from "sluice";
import { endpoint, type Endpoint, type HistoryEntry } from "sluice/channels";
import { resumable } from "sluice/client";
import { MemoryLog, type Log, type Position } from "sluice/store";
import { attach, type TelemetryEvents } from "sluice/telemetry";
import { memoryTransport, simulate, type Simulation } from "sluice/testing";

interface Topics {
  feed: { out: { said: { readonly n: number }; secret: { readonly n: number } }; history: true };
}
type Read = Log<HistoryEntry>["read"];

interface World extends Simulation {
  readonly web: Endpoint<Topics, {}>;
  readonly channel: Channel;
  readonly cut: () => void;
  /** Publishes so many, each with the number behind the last. */
  readonly say: (count: number) => Promise<Position>;
  readonly heard: number[];
  /** How often it was told that something is missing, and how often a join was answered. */
  readonly told: { lost: number; joined: number };
  /** The offsets that were asked for, each behind one. */
  readonly asked: number[];
  readonly joins: TelemetryEvents["sluice.history.joined"][];
  readonly losses: TelemetryEvents["sluice.history.lost"][];
}

/** An endpoint whose log is read from by `read`, and a stock client of it. */
function world(read: (store: Read) => Read, body: (world: World) => Promise<void>) {
  return simulate(
    async (simulation) => {
      using _quiet = attach("sluice.log", () => {});
      const [joins, losses]: [World["joins"], World["losses"]] = [[], []];
      using _joins = attach("sluice.history.joined", (event) => joins.push(event));
      using _losses = attach("sluice.history.lost", (event) => losses.push(event));
      const web = endpoint<Topics>("web");
      const feed = web.channel("feed", {
        join: () => ({ assigns: {} }),
        history: { count: 10_000, maxReplay: 10_000 },
        intercept: { secret: ({ n }) => (n % 2 === 0 ? { n } : undefined) },
      });
      const store = new MemoryLog<HistoryEntry>({ count: 10_000 });
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
      await body({ ...simulation, web, channel, cut, say, heard, told, asked, joins, losses });
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
