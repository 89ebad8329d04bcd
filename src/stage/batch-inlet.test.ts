import { describe, expect, it } from "vitest";
import type { Cell } from "../process/internal.ts";
import { start } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { attach } from "../telemetry/index.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerEngine } from "./consumer-engine.ts";
import { events } from "./protocol.ts";
import { consumer } from "./shorthands.ts";

const numbers = (count: number, first = 0): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** The arithmetic of an automatic subscription: what comes, how it is cut, and what is asked for after the batches. */
const windows: {
  readonly rule: string;
  readonly maxDemand?: number;
  readonly minDemand?: number;
  readonly messages: readonly number[];
  readonly batches: readonly number[];
  readonly asks: readonly number[];
}[] = [
  {
    rule: "S2: 1000/500 by default",
    messages: [1_000],
    batches: [500, 500],
    asks: [1_000, 500, 500],
  },
  {
    rule: "S3: 100/80",
    maxDemand: 100,
    minDemand: 80,
    messages: [100],
    batches: [20, 20, 20, 20, 20],
    asks: [100, 20, 20, 20, 20, 20],
  },
  {
    rule: "S4: 100/20, uneven batches",
    maxDemand: 100,
    minDemand: 20,
    messages: [100, 80, 100],
    batches: [80, 20, 80, 80, 20],
    asks: [100, 80, 100, 80],
  },
  {
    rule: "10/0",
    maxDemand: 10,
    minDemand: 0,
    messages: [10, 10],
    batches: [10, 10],
    asks: [10, 10, 10],
  },
  {
    rule: "S5: 1/0",
    maxDemand: 1,
    minDemand: 0,
    messages: [1, 1],
    batches: [1, 1],
    asks: [1, 1, 1],
  },
  {
    rule: "E1: 1000/750 in hundreds asks for what is missing, 300, not for a quarter",
    maxDemand: 1_000,
    minDemand: 750,
    messages: [100, 100, 100, 100],
    batches: [100, 100, 100, 100],
    asks: [1_000, 300],
  },
  {
    rule: "E4: asks when as many are left as minDemand says, not only when fewer",
    maxDemand: 4,
    minDemand: 2,
    messages: [1, 1],
    batches: [1, 1],
    asks: [4, 2],
  },
];

describe("BatchInlet", () => {
  it.each(windows)("$rule", async ({ maxDemand, minDemand, messages, batches, asks }) => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage);
        const window = {
          ...(maxDemand && { maxDemand }),
          ...(minDemand !== undefined && { minDemand }),
        };
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, ...window }],
        });
        let sent = 0;
        for (const count of messages) {
          source.emit(numbers(count, sent));
          sent += count;
          await quiet();
        }
        expect(seen.batches.map(({ length }) => length)).toEqual(batches);
        expect(seen.batches.flat()).toEqual(numbers(sent));
        expect(source.asks).toEqual(asks);
      },
      { seeds: 5 },
    );
  });

  it("asks after the batch that made room, never before it", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        const source = probeProducer<number>();
        const { promise: handled, resolve } = Promise.withResolvers<void>();
        await using producer = await start(source.stage);
        const slow = consumer<number>(() => handled);
        await using _consumer = await start(slow, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }],
        });
        source.emit([1, 2, 3, 4]);
        await advance(1_000);
        expect(source.asks).toEqual([4]);
        resolve();
        await quiet();
        expect(source.asks).toEqual([4, 2, 2]);
      },
      { seeds: 5 },
    );
  });

  it("E2: 4/2 with 7 events: all are handled, the excess is counted out and logged", async () => {
    await simulate(
      async ({ quiet }) => {
        const errors: string[] = [];
        using _log = attach("sluice.log", ({ message }) => errors.push(message));
        const source = probeProducer<number>();
        const batches: (readonly number[])[] = [];
        const note = consumer((batch: readonly number[]) => void batches.push(batch));
        await using producer = await start(source.stage);
        await using sink = await start(note, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }],
        });
        await quiet();
        const cell = sink["~resolve"]() as Cell;
        const [tag] = (cell.engine as ConsumerEngine).inlet.intakes.keys();
        cell.send(events(tag!, [1, 2, 3, 4, 5, 6, 7], 0));
        await quiet();
        expect(batches).toEqual([[1, 2], [3, 4], [5, 6], [7]]);
        expect(source.asks).toEqual([4, 2, 2]);
        expect(errors).toEqual([
          `${sink.pid} got 2 events in excess from ${producer.pid}`,
          `${sink.pid} got 1 events in excess from ${producer.pid}`,
        ]);
      },
      { seeds: 5 },
    );
  });

  it("E19: a stop during an asynchronous batch lets that batch end and begins no other", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        const source = probeProducer<number>();
        const begun: number[] = [];
        const ended: number[] = [];
        const { promise: release, resolve } = Promise.withResolvers<void>();
        const slow = consumer(async ([first = 0]: readonly number[]) => {
          begun.push(first);
          await release;
          ended.push(first);
        });
        await using producer = await start(source.stage);
        const sink = await start(slow, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 3 }],
        });
        source.emit([1, 2, 3, 4]);
        await quiet();
        const stopped = sink.stop();
        await advance(10);
        resolve();
        await stopped;
        expect([begun, ended]).toEqual([[1], [1]]);
      },
      { seeds: 5 },
    );
  });

  it("a consumer that stops itself handles no further batch of the message", async () => {
    await simulate(
      async () => {
        const source = probeProducer<number>();
        const handled: number[] = [];
        class Once extends Consumer<number> {
          protected override handleEvents(batch: readonly number[]): void {
            handled.push(...batch);
            this.self.stop("normal");
          }
        }
        await using producer = await start(source.stage);
        const once = await start(Once, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 3 }],
        });
        source.emit([1, 2, 3, 4]);
        expect(await once.exited).toBe("normal");
        expect(handled).toEqual([1]);
      },
      { seeds: 5 },
    );
  });

  it("G66, E15: a batch that fails, now or after an await, loses the rest of its message, and the consumer ends", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        using _silent = attach("sluice.log", () => {});
        const source = probeProducer<number>();
        const handled: number[] = [];
        const failing = consumer((batch: readonly number[]) => {
          handled.push(...batch);
          if (batch[0] !== 2) return undefined;
          if (seed % 2 === 0) throw new RangeError("two");
          return Promise.reject(new RangeError("two"));
        });
        await using producer = await start(source.stage);
        const sink = await start(failing, {
          subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 3 }],
        });
        source.emit([1, 2, 3, 4]);
        expect(await sink.exited).toEqual({ crash: new RangeError("two") });
        source.emit([5]);
        await quiet();
        expect(handled).toEqual([1, 2]);
      },
      { seeds: 6 },
    );
  });

  it("E16: a message that arrives while a batch is awaited is handled after it", async () => {
    await simulate(
      async ({ advance }) => {
        const source = probeProducer<number>();
        const order: string[] = [];
        class Slow extends Consumer<number> {
          note(text: string): void {
            order.push(text);
          }
          protected override async handleEvents([first]: readonly number[]): Promise<void> {
            order.push(`begin ${first}`);
            await Promise.resolve();
            await Promise.resolve();
            order.push(`end ${first}`);
          }
        }
        await using producer = await start(source.stage);
        await using slow = await start(Slow, {
          subscribeTo: [{ to: producer, maxDemand: 2, minDemand: 1 }],
        });
        source.emit([1, 2]);
        await advance(0);
        slow.cast.note("cast");
        await slow.call.note("call");
        expect(order.filter((line) => !line.startsWith("c"))).toEqual([
          "begin 1",
          "end 1",
          "begin 2",
          "end 2",
        ]);
        expect(order.indexOf("cast") % 2).toBe(0);
      },
      { seeds: 20 },
    );
  });

  it("E17: a message of any length is cut without growing the stack", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, {
          subscribeTo: [{ to: producer, maxDemand: 100_000, minDemand: 99_999 }],
        });
        source.emit(numbers(100_000));
        await quiet();
        expect(seen.batches).toHaveLength(100_000);
      },
      { seeds: [1] },
    );
  });
});
