import { describe, expect, it } from "vitest";
import { sleep, start, type Running } from "../process/index.ts";
import type { Addressable } from "../support/internal.ts";
import { drain } from "../process/internal.ts";
import { probeConsumer, probeProducer, simulate, type ProducerProbe } from "../testing/index.ts";
import { cellOf, quietly, range } from "../../test/stage/probing.ts";
import { crew, workers } from "../../test/stage/crew.ts";
import { Consumer } from "./consumer.ts";
import type { Producer } from "./producer.ts";
import { map } from "./shorthands.ts";
import { subscribe } from "./subscribe.ts";
import type { From } from "./subscription.ts";
import { topology } from "./topology.ts";

/** Handles events one batch after the other, each in its time, and lends its subscriptions to the test. */
class Reader extends Consumer<number> {
  readonly handled: number[];
  readonly takesMs: number;
  readonly lent: From[];
  constructor(handled: number[], lent: From[] = [], takesMs = 0) {
    super();
    this.handled = handled;
    this.lent = lent;
    this.takesMs = takesMs;
  }
  protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
    this.lent.push(from);
  }
  protected override handleEvents(events: readonly number[]): void | Promise<void> {
    if (this.takesMs === 0) return void this.handled.push(...events);
    return sleep(this.takesMs).then(() => void this.handled.push(...events));
  }
}

interface Reading extends AsyncDisposable {
  readonly source: ProducerProbe<number>;
  readonly producer: Running<Producer<number>>;
  readonly consumer: Running<Reader>;
  readonly from: From;
  readonly handled: number[];
  readonly asks: readonly number[];
}

/** A source that the test drives, and a reader of it. */
async function reading(
  window: { readonly maxDemand: number; readonly minDemand?: number },
  takesMs = 0,
): Promise<Reading> {
  const source = probeProducer<number>();
  const handled: number[] = [];
  const lent: From[] = [];
  const producer = await start(source.stage);
  const consumer = await start(Reader, { args: [handled, lent, takesMs] });
  const from = await subscribe(consumer, { to: producer, ...window, cancel: "temporary" });
  return {
    source,
    producer,
    consumer,
    from,
    handled,
    asks: source.asks,
    async [Symbol.asyncDispose]() {
      await consumer.stop("shutdown");
      await producer.stop("shutdown");
    },
  };
}

const edge = (consumer: Addressable) => topology(consumer).edges[0]!;
const waiting = (stage: Addressable) => topology(stage).nodes[0]!.figures["waiting"];
const seeds = 20;

describe("from.pause", () => {
  it("R1, R3: nothing more is handled or asked for; what was asked for comes and waits", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 10, minDemand: 5 });
        await quiet();
        it.from.pause();
        it.source.emit(range(10));
        await quiet();
        expect([it.handled, it.asks]).toEqual([[], [10]]);
        expect(edge(it.consumer)).toMatchObject({ pending: 10, paused: true });
        expect(waiting(it.consumer)).toBe(10);
        it.from.resume();
        await quiet();
        expect([it.handled, it.asks]).toEqual([range(10), [10, 5, 5]]);
        expect(edge(it.consumer)).toMatchObject({ pending: 10, paused: false });
        expect(waiting(it.consumer)).toBe(0);
      },
      { seeds },
    ));

  it("takes effect at the next batch, while a callback is in hand; resumed, the order is as it came", () =>
    simulate(
      async ({ quiet, advance }) => {
        await using it = await reading({ maxDemand: 10, minDemand: 8 }, 10);
        await quiet();
        it.source.emit(range(6));
        await advance(15);
        it.from.pause();
        it.source.emit(range(2, 6));
        await advance(100);
        // Two batches of two: the second one was in hand.
        expect(it.handled).toEqual(range(4));
        expect(waiting(it.consumer)).toBe(4);
        it.from.resume();
        it.source.emit(range(2, 8));
        await advance(100);
        expect(it.handled).toEqual(range(10));
      },
      { seeds },
    ));

  it("from inside: a batch that fails to be stored stops the rest of its message until it is resumed", () =>
    simulate(
      async ({ advance }) => {
        const handled: number[] = [];
        class Careful extends Consumer<number> {
          protected override handleEvents(events: readonly number[], from: From): void {
            handled.push(...events);
            if (!events.includes(2)) return;
            from.pause();
            this.self.after(50, () => from.resume());
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using _careful = await start(Careful, {
          subscribeTo: [{ to: producer, maxDemand: 8, minDemand: 7 }],
        });
        source.emit(range(8));
        await advance(49);
        expect(handled).toEqual([0, 1, 2]);
        await advance(2);
        expect(handled).toEqual(range(8));
      },
      { seeds },
    ));

  it("pauses one subscription, not its neighbours, and not calls", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 10 });
        const other = probeProducer<number>();
        await using another = await start(other.stage);
        await subscribe(it.consumer, { to: another, maxDemand: 10, cancel: "temporary" });
        it.from.pause();
        it.source.emit([1]);
        other.emit([2]);
        await quiet();
        expect(it.handled).toEqual([2]);
        it.from.resume();
        await quiet();
        expect(it.handled).toEqual([2, 1]);
      },
      { seeds },
    ));

  it("G61: the end of its producer waits behind the events that came before it", () =>
    simulate(
      async ({ quiet }) => {
        using _quiet = quietly();
        const source = probeProducer<number>();
        const handled: number[] = [];
        const lent: From[] = [];
        const producer = await start(source.stage);
        const consumer = await start(Reader, { args: [handled, lent], subscribeTo: [producer] });
        await quiet();
        lent[0]!.pause();
        source.emit([1, 2]);
        await quiet();
        await producer.stop("normal");
        await quiet();
        expect([handled, topology(consumer).edges.length]).toEqual([[], 1]);
        lent[0]!.resume();
        expect(await consumer.exited).toBe("normal");
        expect(handled).toEqual([1, 2]);
      },
      { seeds },
    ));

  it("with nothing waiting, the end of its producer is its end at once", () =>
    simulate(
      async ({ quiet }) => {
        using _quiet = quietly();
        await using it = await reading({ maxDemand: 10 });
        await quiet();
        it.from.pause();
        await it.producer.stop("normal");
        await quiet();
        expect(topology(it.consumer).edges).toEqual([]);
        it.from.resume();
        it.from.setDemand({ maxDemand: 20 });
        await quiet();
        expect(it.asks).toEqual([10]);
      },
      { seeds },
    ));

  it("of a producer-consumer: what its inbox holds of the subscription waits too, in order", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const sink = probeConsumer<number>();
        sink.ask(0);
        await using producer = await start(source.stage);
        await using stage = await start(map((n: number) => n));
        const from = await subscribe(stage, { to: producer, maxDemand: 4 });
        await using _consumer = await start(sink.stage, { subscribeTo: [stage] });
        source.emit([0, 1]);
        source.emit([2, 3]);
        await quiet();
        from.pause();
        sink.ask(10);
        await quiet();
        expect(sink.batches).toEqual([]);
        expect(waiting(stage)).toBe(4);
        from.resume();
        source.emit([4]);
        await quiet();
        expect(sink.batches.flat()).toEqual(range(5));
        expect(waiting(stage)).toBe(0);
      },
      { seeds },
    ));

  it("of a ConsumerSupervisor: no child begins, those that run end, and ask for nothing", () =>
    simulate(
      async ({ advance }) => {
        await using staff = await crew(() => sleep(10), { maxDemand: 2 });
        const probe = probeProducer<number>();
        await using producer = await start(probe.stage);
        const from = await subscribe(workers as never, { to: producer, maxDemand: 3 });
        probe.emit([1, 2]);
        await advance(1);
        from.pause();
        probe.emit([3]);
        await advance(50);
        expect(staff.figures()).toMatchObject({ running: 0, done: 2, waiting: 1 });
        expect(probe.asks).toEqual([3]);
        from.resume();
        await advance(50);
        expect(staff.figures()).toMatchObject({ running: 0, done: 3, waiting: 0 });
        expect(probe.asks.reduce((sum, count) => sum + count)).toBe(6);
      },
      { seeds },
    ));

  it("a drain waits for what a pause holds, a crash loses it", () =>
    simulate(
      async ({ advance }) => {
        await using it = await reading({ maxDemand: 10 });
        it.from.pause();
        it.source.emit([1, 2, 3]);
        await advance(1);
        let drained = false;
        const draining = drain(cellOf(it.consumer)).then(() => (drained = true));
        await advance(1_000);
        expect(drained).toBe(false);
        it.from.resume();
        await draining;
        expect(it.handled).toEqual([1, 2, 3]);
      },
      { seeds: 5 },
    ));
});

describe("from.setDemand", () => {
  it("R1: growing asks for the difference at once, shrinking lets come what is in flight", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 4, minDemand: 2 });
        await quiet();
        it.from.setDemand({ maxDemand: 10, minDemand: 5 });
        await quiet();
        expect(it.asks).toEqual([4, 6]);
        it.source.emit([0, 1, 2]);
        await quiet();
        it.from.setDemand({ maxDemand: 3, minDemand: 1 });
        expect(edge(it.consumer)).toMatchObject({ maxDemand: 3, pending: 7 });
        it.source.emit([3, 4, 5, 6, 7]);
        await quiet();
        // Two are left of what was asked for, more than the new minDemand.
        expect(it.asks).toEqual([4, 6]);
        it.source.emit([8]);
        await quiet();
        expect(it.asks).toEqual([4, 6, 2]);
        it.from.setDemand({ maxDemand: 3, minDemand: 2 });
        await quiet();
        expect(edge(it.consumer).pending).toBe(3);
        expect(it.handled).toEqual(range(9));
      },
      { seeds },
    ));

  it("a larger minDemand asks at once when no more is left", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 10, minDemand: 2 });
        it.source.emit(range(5));
        await quiet();
        expect(it.asks).toEqual([10]);
        it.from.setDemand({ maxDemand: 10 });
        await quiet();
        expect(it.asks).toEqual([10, 5]);
      },
      { seeds },
    ));

  it("is answered while a callback is in hand, and by no message to the consumer", () =>
    simulate(
      async ({ advance, quiet }) => {
        await using it = await reading({ maxDemand: 2 }, 1_000);
        it.source.emit([1]);
        await advance(10);
        it.from.setDemand({ maxDemand: 5 });
        await quiet();
        expect(it.asks).toEqual([2, 3]);
        expect(it.handled).toEqual([]);
      },
      { seeds },
    ));

  it("while paused asks for nothing; resume asks for what the window lacks", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 2 });
        await quiet();
        it.from.pause();
        it.from.setDemand({ maxDemand: 6 });
        await quiet();
        expect(it.asks).toEqual([2]);
        it.from.resume();
        await quiet();
        expect(it.asks).toEqual([2, 4]);
      },
      { seeds },
    ));

  it("a subscription made by hand asks for nothing by itself", () =>
    simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        seen.ask(0);
        await using producer = await start(source.stage);
        await using consumer = await start(seen.stage);
        const from = await subscribe(consumer, { to: producer, maxDemand: 1 });
        from.setDemand({ maxDemand: 100 });
        from.pause();
        from.resume();
        await quiet();
        expect(source.asks).toEqual([]);
      },
      { seeds: 5 },
    ));

  it("of a ConsumerSupervisor lets so many more children run", () =>
    simulate(
      async ({ advance }) => {
        await using staff = await crew(() => sleep(10), { maxDemand: 1 });
        const probe = probeProducer<number>();
        await using producer = await start(probe.stage);
        const from = await subscribe(workers as never, { to: producer, maxDemand: 1 });
        probe.emit(range(6));
        await advance(1);
        expect(staff.figures()).toMatchObject({ running: 1 });
        from.setDemand({ maxDemand: 4 });
        await advance(1);
        expect(staff.figures()).toMatchObject({ running: 4 });
        await advance(100);
        expect(staff.figures()).toMatchObject({ running: 0, done: 6 });
      },
      { seeds },
    ));

  it.each([
    [undefined, "setDemand", "undefined", "{ maxDemand, minDemand? }"],
    [{}, "setDemand.maxDemand", "undefined", "a whole number of at least 1"],
    [{ maxDemand: 0 }, "setDemand.maxDemand", "0", "a whole number of at least 1"],
    [{ maxDemand: -1 }, "setDemand.maxDemand", "-1", "a whole number of at least 1"],
    [{ maxDemand: Number.NaN }, "setDemand.maxDemand", "NaN", "a whole number of at least 1"],
    [{ maxDemand: 1.5 }, "setDemand.maxDemand", "1.5", "a whole number of at least 1"],
    [{ maxDemand: Infinity }, "setDemand.maxDemand", "Infinity", "a whole number of at least 1"],
    [
      { maxDemand: 2 ** 53 },
      "setDemand.maxDemand",
      String(2 ** 53),
      "a whole number of at least 1",
    ],
    [{ maxDemand: 2, minDemand: 2 }, "setDemand.minDemand", "2", "a whole number from 0 to 1"],
    [
      { maxDemand: 2, minDemand: null },
      "setDemand.minDemand",
      "null",
      "a whole number from 0 to 1",
    ],
    [{ maxDemnd: 2 }, "setDemand.maxDemnd", "2", "one of the options maxDemand, minDemand"],
  ])(
    "R6: %o is refused by name, and the window stays as it was",
    async (given, option, got, expected) => {
      await simulate(
        async ({ quiet }) => {
          await using it = await reading({ maxDemand: 4 });
          expect(() => it.from.setDemand(given as never)).toThrow(
            expect.objectContaining({
              code: "SLUICE_INVALID_OPTION",
              details: { option, got, expected },
            }),
          );
          it.source.emit(range(4));
          await quiet();
          expect([it.handled, it.asks]).toEqual([range(4), [4, 2, 2]]);
        },
        { seeds: 2 },
      );
    },
  );

  it("R6: ask refuses what is no count, asks for nothing with 0, and leaves the subscription as it was", () =>
    simulate(
      async ({ quiet }) => {
        await using it = await reading({ maxDemand: 4 });
        it.from.ask(0);
        for (const count of [-1, Number.NaN, 1.5, Infinity, 2 ** 53])
          expect(() => it.from.ask(count)).toThrow(
            expect.objectContaining({
              code: "SLUICE_INVALID_OPTION",
              details: {
                option: "ask: count",
                got: String(count),
                expected: "a whole number, 0 or more",
              },
            }),
          );
        it.source.emit(range(4));
        await quiet();
        expect([it.handled, it.asks]).toEqual([range(4), [4, 2, 2]]);
      },
      { seeds: 5 },
    ));

  it("is the consumer's affair: a producer is refused by name", () =>
    simulate(
      async ({ quiet }) => {
        const refused: unknown[] = [];
        const source = probeProducer<number>();
        class Source extends source.stage {
          protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
            for (const attempt of [
              () => from.pause(),
              () => from.resume(),
              () => from.setDemand({ maxDemand: 1 }),
              () => from.ask(1),
            ])
              try {
                attempt();
              } catch (error) {
                refused.push((error as { details: { option: string } }).details.option);
              }
          }
        }
        await using producer = await start(Source);
        await using _consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [producer],
        });
        await quiet();
        expect(refused).toEqual(["pause", "resume", "setDemand", "ask"]);
      },
      { seeds: 3 },
    ));
});
