import { describe, expect, it } from "vitest";
import { Inbox, figures } from "../../test/stage/inbox.ts";
import { byHand, quietly, range } from "../../test/stage/probing.ts";
import { start } from "../process/index.ts";
import { probeProducer, simulate, type Simulation } from "../testing/index.ts";
import { DispatcherBench } from "../testing/internal.ts";
import { from } from "./from.ts";
import { partitionDispatcher, type PartitionOptions } from "./partition-dispatcher.ts";
import { consumer } from "./shorthands.ts";
import { subscribe } from "./subscribe.ts";

const parity: PartitionOptions<number> = { partitions: 2, hash: (n) => n % 2 };
const bench = (options: PartitionOptions<number> = parity): DispatcherBench<number> =>
  new DispatcherBench<number>(partitionDispatcher(options));
const schedules = (body: (simulation: Simulation) => Promise<void>) => async (): Promise<void> => {
  const report = await simulate(body, { seeds: 10 });
  expect(report.seeds).toBe(10);
};
const invalid = (option: string): unknown =>
  expect.objectContaining({
    code: "SLUICE_INVALID_OPTION",
    details: expect.objectContaining({ option }) as unknown,
  });

describe("partitions", () => {
  it("P1, G91: keep account of demand through ask, cancel and dispatch to nobody", () => {
    const parts = bench();
    parts.subscribe(1, { partition: 0 });
    parts.ask(1, 10);
    expect(parts.demand).toBe(10);
    parts.unsubscribe(1);
    expect(parts.demand).toBe(0);
    expect(parts.dispatch([1, 2]).taken).toBe(0);
    parts.subscribe(2, { partition: 0 });
    parts.ask(2, 5);
    expect(parts.demand).toBe(5);
  });

  it("P2, G92: take events as long as somebody wants some; the rest is left", () => {
    const parts = bench();
    parts.subscribe(1, { partition: 0 });
    parts.ask(1, 3);
    expect(parts.dispatch([2, 4, 6, 8])).toEqual({ taken: 3, handed: [[1, [2, 4, 6]]] });
  });

  it("P3, G88: have names, of which `hash` gives one", () => {
    const hash = (n: number): string => (n % 2 === 0 ? "even" : "odd");
    const parts = bench({ partitions: ["odd", "even"], hash });
    parts.subscribe(1, { partition: "odd" });
    parts.subscribe(2, { partition: "even" });
    parts.ask(1, 2);
    parts.ask(2, 2);
    expect(parts.dispatch([1, 2, 3, 4]).handed).toEqual([
      [1, [1, 3]],
      [2, [2, 4]],
    ]);
  });

  it("P4: events for none use up no demand, and are taken", () => {
    const parts = bench({ partitions: 1, hash: (n) => (n < 10 ? undefined : 0) });
    parts.subscribe(1, { partition: 0 });
    parts.ask(1, 2);
    expect(parts.dispatch([1, 10, 2, 11, 12])).toEqual({
      taken: 4,
      handed: [
        [1, [10]],
        [1, [11]],
      ],
    });
  });

  it("divide a large batch by 500 a partition at a time", () => {
    const parts = bench();
    for (const partition of [0, 1]) {
      parts.subscribe(partition, { partition });
      for (let ask = 0; ask < 3; ask++) parts.ask(partition, 400);
    }
    const { taken, handed } = parts.dispatch(range(2_400));
    expect(taken).toBe(2_400);
    expect(handed.map(([partition, { length }]) => [partition, length])).toEqual([
      [0, 500],
      [1, 500],
      [0, 500],
      [1, 500],
      [0, 200],
      [1, 200],
    ]);
    expect(handed.flatMap(([partition, events]) => (partition === 0 ? events : []))).toEqual(
      range(1_200).map((n) => 2 * n),
    );
  });

  it("P5, P6, G92, G93: what one has not asked for, or is not there for, waits for it and goes with its next ask", () => {
    const parts = bench();
    parts.subscribe(1, { partition: 0 });
    parts.ask(1, 5);
    expect(parts.dispatch([1, 2, 3])).toEqual({ taken: 3, handed: [[1, [2]]] });
    expect([parts.demand, parts.queued]).toEqual([4, 2]);
    parts.subscribe(2, { partition: 1 });
    expect(parts.ask(2, 5)).toEqual([[2, [1, 3], 0]]);
    expect([parts.demand, parts.queued]).toEqual([7, 0]);
    parts.dispatch([5, 7, 9, 11]);
    expect([parts.demand, parts.queued]).toEqual([3, 1]);
    expect(parts.ask(2, 1)).toEqual([[2, [11], 0]]);
  });

  it("P7, G94: who goes leaves its queue to the next", () => {
    const parts = bench();
    parts.subscribe(1, { partition: 0 });
    parts.subscribe(2, { partition: 1 });
    parts.ask(1, 5);
    parts.dispatch([1, 3]);
    let passed = false;
    parts.dispatching.afterQueued!(() => (passed = true));
    parts.unsubscribe(2);
    expect([parts.queued, parts.dropped, passed]).toEqual([2, 0, false]);
    parts.subscribe(3, { partition: 1 });
    expect(parts.ask(3, 2)).toEqual([[3, [1, 3], 0]]);
    expect(passed).toBe(true);
  });

  it("P10: a note waits for the partitions that hold events then, not for what comes after", () => {
    const parts = bench();
    parts.subscribe(1, { partition: 0 });
    parts.subscribe(2, { partition: 1 });
    parts.ask(1, 9);
    parts.dispatch([1]);
    let passed = false;
    parts.dispatching.afterQueued!(() => (passed = true));
    parts.dispatch([3]);
    expect(passed).toBe(false);
    expect([parts.ask(2, 1), passed, parts.queued]).toEqual([[[2, [1], 0]], true, 1]);
  });

  it("G96: with uneven keys a queue fills to its limit, and then all wait outside", () => {
    const parts = bench({ ...parity, maxQueue: 2 });
    parts.subscribe(1, { partition: 0 });
    parts.ask(1, 100);
    expect(parts.dispatch([1, 2, 3, 5, 6])).toEqual({ taken: 3, handed: [[1, [2]]] });
    expect(parts.dispatch([5, 6]).taken).toBe(0);
    expect(parts.queued).toBe(2);
  });

  it("P11, P12, G89: a bad answer of `hash` names what may be; what came before is out", () => {
    for (const bad of [2, -1, 0.5, "odd", null, {}]) {
      const parts = bench({ partitions: 2, hash: (n) => (n < 5 ? 0 : (bad as number)) });
      parts.subscribe(1, { partition: 0 });
      parts.ask(1, 5);
      expect(() => parts.dispatch([1, 5])).toThrow(
        expect.objectContaining({
          code: "SLUICE_INVALID_RETURN",
          details: expect.objectContaining({ expected: "undefined or one of 0, 1" }) as unknown,
        }),
      );
      expect(parts.handed()).toEqual([[1, [1], 0]]);
    }
  });

  it("P13, G88: none, or names without a `hash`, are refused where they are written", () => {
    const wrong = (options: unknown) => () =>
      partitionDispatcher(options as PartitionOptions<number>);
    for (const partitions of [undefined, 0, 1.5, [], ["a", "a"], "abc"])
      expect(wrong({ partitions })).toThrow(invalid("partitions"));
    expect(wrong(undefined)).toThrow(invalid("partitions"));
    expect(wrong({ partitions: ["a"] })).toThrow(invalid("hash"));
    expect(wrong({ partitions: 1, hash: "id" })).toThrow(invalid("hash"));
    expect(wrong({ partitions: 1, maxQueue: -1 })).toThrow(invalid("maxQueue"));
  });

  it("P14, G90: a subscription without one, of an unknown or a taken one is refused", () => {
    const parts = bench();
    // While all are free: an unknown one must not be taken for one of these.
    for (const partition of [-1, 2, "odd"])
      expect(() => parts.subscribe(2, { partition })).toThrow(invalid("subscription.partition"));
    expect(() => parts.subscribe(2)).toThrow(invalid("subscription.partition"));
    parts.subscribe(1, { partition: 0 });
    expect(() => parts.subscribe(2, { partition: 0 })).toThrow(invalid("subscription.partition"));
    parts.unsubscribe(1);
    parts.subscribe(3, { partition: 0 });
  });

  it("without a `hash` divide evenly by what events are made of, always the same way", () => {
    const share = (make: (n: number) => unknown, count = 4_000): number[] => {
      const parts = new DispatcherBench<unknown>(partitionDispatcher({ partitions: 4 }));
      for (const partition of range(4)) {
        parts.subscribe(partition, { partition });
        parts.ask(partition, count);
      }
      const shares = [0, 0, 0, 0];
      for (const [partition, batch] of parts.dispatch(range(count).map((n) => make(n))).handed)
        shares[partition]! += batch.length;
      return shares;
    };
    for (const make of [
      (n: number) => n,
      (n: number) => `user:${n}`,
      (n: number) => ({ id: n, tags: ["a", n % 3], at: new Date(n) }),
    ]) {
      const shares = share(make);
      expect(share(make)).toEqual(shares);
      for (const one of shares) expect(Math.abs(one - 1_000)).toBeLessThan(120);
    }
    expect(share((n) => ({ n, b: 2 }), 40)).toEqual(share((n) => ({ b: 2, n }), 40));
  });
});

describe("a stage with partitions", () => {
  const dispatcher = partitionDispatcher({ ...parity, maxQueue: 3 });

  it(
    "E6, G95: events for none do not stall it: they are asked for again",
    schedules(async ({ quiet }) => {
      const seen: number[] = [];
      const sink = consumer((events: readonly number[]) => void seen.push(...events));
      const some = partitionDispatcher({
        partitions: 1,
        hash: (n: number) => (n % 10 < 6 ? undefined : 0),
      });
      await using numbers = await start(
        from(() => range(100)),
        { dispatcher: some },
      );
      await using _sink = await start(sink, {
        subscribeTo: [{ to: numbers, partition: 0, maxDemand: 10, cancel: "temporary" }],
      });
      await quiet();
      expect(seen).toEqual(range(100).filter((n) => n % 10 >= 6));
    }),
  );

  it(
    "E8, G90: a bad partition is refused alone; producer and siblings go on",
    schedules(async ({ quiet }) => {
      using _silent = quietly();
      const seen = byHand<number>();
      const source = probeProducer<number>();
      await using producer = await start(source.stage, { dispatcher });
      await using _good = await start(seen.stage, {
        subscribeTo: [{ to: producer, partition: 0 }],
      });
      const bad = await start(byHand<number>().stage);
      seen.ask(5);
      await quiet();
      await subscribe(bad, { to: producer, partition: 7 });
      expect(await bad.exited).toMatchObject({
        crash: { code: "SLUICE_INVALID_OPTION", details: { option: "subscription.partition" } },
      });
      await using patient = await start(byHand<number>().stage);
      await subscribe(patient, { to: producer, cancel: "temporary" });
      source.emit([2, 4]);
      await quiet();
      expect(seen.batches).toEqual([[2, 4]]);
    }),
  );

  it(
    "G92: a full queue lets the rest wait in the buffer, however small; nothing is lost, nothing asked for twice",
    schedules(async ({ quiet }) => {
      const [even, odd] = [byHand<number>(), byHand<number>()];
      await using numbers = await start(
        from(() => [...Array.from({ length: 20 }, () => 1), 2, 4]),
        { dispatcher, bufferSize: 1 },
      );
      const subscription = { to: numbers, cancel: "temporary" } as const;
      await using _even = await start(even.stage, {
        subscribeTo: [{ ...subscription, partition: 0 }],
      });
      even.ask(10);
      await quiet();
      const { queued, buffered, dropped } = figures(numbers) as Record<string, number>;
      expect([queued, buffered! <= 10, dropped]).toEqual([3, true, 0]);
      await using _odd = await start(odd.stage, {
        subscribeTo: [{ ...subscription, partition: 1 }],
      });
      for (let ask = 0; ask < 10; ask++) {
        odd.ask(2);
        await quiet();
      }
      expect(odd.batches.flat()).toHaveLength(20);
      expect(even.batches.flat()).toEqual([2, 4]);
    }),
  );

  it(
    "P8, P9, G38: afterBuffered runs at once where no partition holds events, whether or not it has a consumer",
    schedules(async ({ quiet }) => {
      const log: string[] = [];
      const texts = partitionDispatcher({ partitions: 2, hash: (line: string) => line.length % 2 });
      const seen = byHand<string>();
      await using inbox = await start(Inbox, { dispatcher: texts });
      await using _one = await start(seen.stage, { subscribeTo: [{ to: inbox, partition: 1 }] });
      seen.ask(3);
      await quiet();
      await inbox.call.push(["a", "b", "c"]);
      inbox.cast.note(log, "now");
      await quiet();
      expect(log).toEqual(["now"]);
    }),
  );
});
