import { describe, expect, it } from "vitest";
import { Inbox, figures } from "../../test/stage/inbox.ts";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { start } from "../process/index.ts";
import { probeProducer, simulate, type Simulation } from "../testing/index.ts";
import { DispatcherBench } from "../testing/internal.ts";
import { broadcastDispatcher } from "./broadcast-dispatcher.ts";
import { subscribe } from "./subscribe.ts";

const bench = (): DispatcherBench<number> => new DispatcherBench<number>(broadcastDispatcher());
const schedules = (body: (simulation: Simulation) => Promise<void>) => async (): Promise<void> => {
  const report = await simulate(body, { seeds: 10 });
  expect(report.seeds).toBe(10);
};
const dispatcher = broadcastDispatcher();

describe("a broadcast", () => {
  it("B1: leaves nothing behind when all have gone", () => {
    const all = bench();
    all.subscribe(1);
    all.ask(1, 10);
    all.unsubscribe(1);
    expect([all.demand, all.queued, all.dispatch([1]).taken]).toEqual([0, 0, 0]);
  });

  it("B5, G80, G83: what all can take goes to all; the rest waits, and who comes later evens out", () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2);
    all.ask(1, 3);
    all.ask(2, 2);
    expect(all.dispatch([1, 2, 3])).toEqual({
      taken: 2,
      handed: [
        [1, [1, 2]],
        [2, [1, 2]],
      ],
    });
    all.subscribe(3);
    all.ask(2, 4);
    expect(all.dispatch([3, 4]).taken).toBe(0);
    all.ask(3, 4);
    expect(all.demand).toBe(1);
    expect(all.dispatch([3, 4])).toEqual({
      taken: 1,
      handed: [
        [1, [3]],
        [2, [3]],
        [3, [3]],
      ],
    });
  });

  it("B6, G79: the lead of the faster one is kept over several rounds", () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2);
    all.ask(1, 20);
    for (const round of range(3)) {
      all.ask(2, 2);
      expect(all.dispatch([round, round, round]).taken).toBe(2);
    }
    all.ask(2, 100);
    expect(all.demand).toBe(14);
  });

  it("all share one array, which goes out uncopied", () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2);
    all.ask(1, 5);
    all.ask(2, 5);
    const events = [1, 2];
    for (const [, handed] of all.dispatch(events).handed) expect(handed).toBe(events);
  });

  it("B9, G84: a selector filters for one subscriber, whose demand is not used up by what it leaves out", () => {
    const all = bench();
    all.subscribe(1, { selector: (n) => n % 2 === 0 });
    all.subscribe(2);
    all.ask(1, 2);
    all.ask(2, 10);
    expect(all.dispatch([1, 2, 3, 4]).taken).toBe(4);
    expect(all.dispatch([5]).taken).toBe(0);
    all.ask(1, 1);
    expect([all.demand, all.dispatch([5, 6, 7]).taken]).toEqual([1, 2]);
  });

  it("E11, G85: a list of which a selector leaves nothing is not sent", () => {
    const all = bench();
    all.subscribe(1, { selector: () => false });
    all.ask(1, 2);
    expect(all.dispatch([1, 2, 3])).toEqual({ taken: 3, handed: [] });
    expect(all.demand).toBe(2);
  });

  it("a selector that throws ends its own subscription, and nobody else notices", () => {
    const all = bench();
    const mistake = new TypeError("no such member");
    all.subscribe(1, {
      selector() {
        throw mistake;
      },
    });
    all.subscribe(2);
    all.ask(1, 1);
    all.ask(2, 3);
    expect(all.dispatch([1, 2, 3])).toEqual({
      taken: 3,
      handed: [
        [2, [1]],
        [2, [2, 3]],
      ],
    });
    expect(all.cancelled).toEqual([[1, { crash: mistake }]]);
  });

  it("B11, E7, G86: a consumer that has subscribed is refused a second time, and a third", () => {
    const all = bench();
    const consumer = {};
    all.subscribe(1, {}, consumer);
    all.ask(1, 3);
    const again: unknown = expect.objectContaining({ code: "SLUICE_ALREADY_SUBSCRIBED" });
    expect(() => all.subscribe(2, {}, consumer)).toThrow(again);
    expect(() => all.subscribe(3, {}, consumer)).toThrow(again);
    expect(all.dispatch([1]).handed).toEqual([[1, [1]]]);
    all.unsubscribe(1);
    all.subscribe(4, {}, consumer);
  });
});

describe("a slow subscriber of a broadcast", () => {
  it('that others wait for, with a `maxLag`, only when that many events wait for it: "wait"', () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2, { maxLag: 2 });
    all.ask(1, 10);
    expect(all.demand).toBe(2);
    expect(all.dispatch([1, 2, 3])).toEqual({ taken: 2, handed: [[1, [1, 2]]] });
    expect([all.demand, all.queued]).toEqual([0, 2]);
    expect(all.ask(2, 1)).toEqual([[2, [1], 0]]);
    expect([all.demand, all.queued, all.dropped]).toEqual([1, 1, 0]);
  });

  it('loses what is older than the newest `maxLag`, and holds nobody up: "dropOldest"', () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2, { slow: "dropOldest", maxLag: 2 });
    all.ask(1, 10);
    expect(all.demand).toBe(10);
    expect(all.dispatch([1, 2, 3, 4, 5]).taken).toBe(5);
    expect([all.queued, all.dropped]).toEqual([2, 3]);
    expect(all.ask(2, 9)).toEqual([[2, [4, 5], 0]]);
  });

  it("is given the newest of each key, at the newest's place, with the stamp of the oldest: { latest }", () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2, { slow: { latest: (n: number) => n % 10 }, maxLag: 3 });
    all.ask(1, 100);
    all.dispatch([1, 2], 5);
    all.dispatch([11, 3], 6);
    expect([all.queued, all.dropped]).toEqual([3, 1]);
    all.dispatch([4], 7);
    expect([all.queued, all.dropped]).toEqual([3, 2]);
    expect(all.ask(2, 2)).toEqual([[2, [11, 3], 6]]);
    expect(all.ask(2, 2)).toEqual([[2, [4], 7]]);
  });

  it('is let go when more than `maxLag` wait for it: "disconnect"', () => {
    const all = bench();
    all.subscribe(1);
    all.subscribe(2, { slow: "disconnect", maxLag: 2 });
    all.ask(1, 10);
    all.dispatch([1, 2]);
    expect(all.cancelled).toEqual([]);
    all.dispatch([3]);
    const reason = { crash: expect.objectContaining({ code: "SLUICE_TOO_SLOW" }) as unknown };
    expect(all.cancelled).toEqual([[2, reason]]);
    expect([all.queued, all.dropped]).toEqual([0, 3]);
    expect(all.ask(2, 5)).toEqual([]);
  });

  it("where nobody is waited for, the pace is that of the fastest, and what is pushed is taken at once", () => {
    const all = bench();
    all.subscribe(1, { slow: "dropOldest" });
    all.subscribe(2, { slow: { latest: () => 0 } });
    all.ask(1, 1);
    all.ask(2, 4);
    expect(all.demand).toBe(4);
    expect(all.dispatch(range(9)).taken).toBe(9);
    expect([all.demand, all.queued]).toEqual([0, 9]);
  });
});

describe("a stage that broadcasts", () => {
  it(
    "B2, B7, G82: what was asked upstream for one that left is there for the next",
    schedules(async ({ quiet }) => {
      const source = probeProducer<number>();
      await using producer = await start(source.stage, { dispatcher });
      const [first, second] = [byHand<number>(), byHand<number>()];
      const leaving = await start(first.stage, { subscribeTo: [producer] });
      first.ask(10);
      await quiet();
      await leaving.stop();
      await using _second = await start(second.stage, { subscribeTo: [producer] });
      second.ask(5);
      await quiet();
      expect(source.asks).toEqual([10]);
      source.emit(range(7));
      await quiet();
      expect(second.batches).toEqual([range(5)]);
    }),
  );

  it(
    "B3, G81: a newcomer holds all back until it asks, and nothing is asked upstream twice",
    schedules(async ({ quiet }) => {
      const source = probeProducer<number>();
      await using producer = await start(source.stage, { dispatcher });
      const [first, second] = [byHand<number>(), byHand<number>()];
      const leaving = await start(first.stage, { subscribeTo: [producer] });
      first.ask(10);
      await quiet();
      await using _second = await start(second.stage, { subscribeTo: [producer] });
      source.emit([1, 2]);
      await quiet();
      expect([first.batches, second.batches]).toEqual([[], []]);
      await leaving.stop();
      second.ask(10);
      await quiet();
      expect([second.batches, source.asks]).toEqual([[[1, 2]], [10]]);
    }),
  );

  it(
    "B4, B8, G82: when the slowest leaves, only what was not asked for yet is asked upstream",
    schedules(async ({ quiet }) => {
      const source = probeProducer<number>();
      await using producer = await start(source.stage, { dispatcher });
      const [first, second] = [byHand<number>(), byHand<number>()];
      await using _first = await start(first.stage, { subscribeTo: [producer] });
      first.ask(10);
      await quiet();
      const blocking = await start(second.stage, { subscribeTo: [producer] });
      first.ask(5);
      await quiet();
      expect(source.asks).toEqual([10]);
      await blocking.stop();
      await quiet();
      expect(source.asks).toEqual([10, 5]);
    }),
  );

  it(
    "B10: afterBuffered runs at once where nothing waits",
    schedules(async ({ quiet }) => {
      const log: string[] = [];
      await using inbox = await start(Inbox, { dispatcher });
      inbox.cast.note(log, "now");
      await quiet();
      expect(log).toEqual(["now"]);
    }),
  );

  it(
    "S50, G86: refuses a second subscription of one consumer, and a third; neither side ends, nothing comes twice",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const seen = byHand<string>();
      await using inbox = await start(Inbox, { dispatcher });
      await using consumer = await start(seen.stage, { subscribeTo: [inbox] });
      seen.ask(4);
      await quiet();
      await subscribe(consumer, { to: inbox });
      await subscribe(consumer, { to: inbox });
      await quiet();
      await inbox.call.push(["a"]);
      await quiet();
      expect(seen.batches).toEqual([["a"]]);
    }),
  );

  it(
    "one slow page keeps the newest of each key while the others go on, and the stage shows what waits",
    schedules(async ({ quiet }) => {
      const [fast, slow] = [byHand<string>(), byHand<string>()];
      await using inbox = await start(Inbox, { dispatcher });
      await using _fast = await start(fast.stage, { subscribeTo: [inbox] });
      const latest = (line: string): unknown => line[0];
      await using _slow = await start(slow.stage, {
        subscribeTo: [{ to: inbox, slow: { latest } }],
      });
      fast.ask(100);
      await quiet();
      await inbox.call.push(["a1", "b1", "a2", "a3"]);
      await quiet();
      expect(fast.batches).toEqual([["a1", "b1", "a2", "a3"]]);
      expect(figures(inbox)).toMatchObject({ queued: 2, dropped: 2, buffered: 0 });
      slow.ask(10);
      await quiet();
      expect(slow.batches).toEqual([["b1", "a3"]]);
    }),
  );
});
