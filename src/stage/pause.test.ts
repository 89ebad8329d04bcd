import { describe, expect, it } from "vitest";
import { drain, sleep, start } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { quietly, range } from "../../test/stage/probing.ts";
import { crew, workers } from "../../test/stage/crew.ts";
import { Reader, edge, reading, waiting } from "../../test/stage/reading.ts";
import { Consumer } from "./consumer.ts";
import { map } from "./shorthands.ts";
import { subscribe } from "./subscribe.ts";
import type { From } from "./subscription.ts";
import { topology } from "./topology.ts";

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
        const draining = drain(it.consumer).then(() => (drained = true));
        await advance(1_000);
        expect(drained).toBe(false);
        it.from.resume();
        await draining;
        expect(it.handled).toEqual([1, 2, 3]);
      },
      { seeds: 5 },
    ));
});
