import { describe, expect, it, vi } from "vitest";
import { start, withSystem, type Running } from "../process/index.ts";
import { consumer, subscribe } from "../stage/index.ts";
import { InputSource, type InputOptions } from "./input-source.ts";
import type { Payload } from "./payload.ts";
import { Tally } from "./tally.ts";

/** Chunks that count how far they were read. */
class Chunks {
  pulled = 0;
  readonly #texts: readonly string[];
  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }
  async *open(): AsyncGenerator<Uint8Array> {
    for (const text of this.#texts) {
      this.pulled++;
      yield Buffer.from(text);
    }
  }
}

interface Setting {
  readonly tally: Tally;
  readonly seen: unknown[];
  ended: number;
  start(options: Partial<InputOptions>, bufferSize?: number): Promise<Running<InputSource>>;
  consume(source: Running<InputSource>, maxDemand: number): Promise<AsyncDisposable>;
}

function setting(): Setting & Disposable {
  const tally = new Tally();
  const made: Setting & Disposable = {
    tally,
    seen: [],
    ended: 0,
    start: (options, bufferSize = 10_000) =>
      start(InputSource, {
        bufferSize,
        args: [
          {
            open: undefined,
            format: "lines",
            gate: { isOpen: true },
            onBadLine: () => {},
            onEnd: () => made.ended++,
            ...options,
            tally,
          },
        ],
      }),
    async consume(source, maxDemand) {
      const stage = consumer((events: readonly Payload[]) => {
        for (const { data } of events) made.seen.push(data);
      });
      const running = await start(stage);
      await subscribe(running, { to: source, maxDemand, cancel: "temporary" });
      return running;
    },
    [Symbol.dispose]: () => tally[Symbol.dispose](),
  };
  return made;
}

describe("InputSource", () => {
  it("reads all lines in order and tells of the end after the last is taken", async () => {
    await withSystem(async () => {
      using set = setting();
      const chunks = new Chunks(["1\n2\n3", "4\n5\n", "6"]);
      await using source = await set.start({ open: () => chunks.open() });
      await using _consumer = await set.consume(source, 2);
      await vi.waitFor(() => expect(set.ended).toBe(1));
      expect(set.seen).toEqual(["1", "2", "34", "5", "6"]);
      expect(set.tally.received).toBe(5);
    });
  });

  it("reads nothing before anybody asks, nor before it may begin", async () => {
    await withSystem(async () => {
      using set = setting();
      const chunks = new Chunks(["1\n"]);
      await using source = await set.start({ open: () => chunks.open(), gate: { isOpen: false } });
      expect(chunks.pulled).toBe(0);
      await using _consumer = await set.consume(source, 2);
      expect(await source.call.tryPush([])).toBe(true);
      expect(chunks.pulled).toBe(0);
      source.cast.begin();
      await vi.waitFor(() => expect(set.ended).toBe(1));
      expect(set.seen).toEqual(["1"]);
    });
  });

  it("does not read on while what it read is not taken", async () => {
    await withSystem(async () => {
      using set = setting();
      const chunks = new Chunks(Array.from({ length: 20 }, (_, n) => `${n}\n${n}\n`));
      await using source = await set.start({ open: () => chunks.open() });
      const never = new Promise<void>(() => {});
      const stage = consumer((_events: readonly Payload[]) => never);
      await using stuck = await start(stage, { shutdown: "kill" });
      await subscribe(stuck, { to: source, maxDemand: 3, minDemand: 0, cancel: "temporary" });
      await source.call.tryPush([]);
      await vi.waitFor(() => expect(chunks.pulled).toBe(2));
      for (let round = 0; round < 20; round++) await source.call.tryPush([]);
      expect(chunks.pulled).toBe(2);
    });
  });

  it("reads on for a new consumer, whatever the one before had asked for", async () => {
    await withSystem(async () => {
      using set = setting();
      const { promise: first, resolve } = Promise.withResolvers<string>();
      async function* lines(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(await first);
        yield Buffer.from("2\n3\n");
      }
      await using source = await set.start({ open: lines });
      const gone = await set.consume(source, 5);
      await gone[Symbol.asyncDispose]();
      resolve("1\n");
      await vi.waitFor(() => expect(set.tally.received).toBe(1));
      await using _consumer = await set.consume(source, 5);
      await vi.waitFor(() => expect(set.seen).toEqual(["1", "2", "3"]));
    });
  });

  it("a bad line is left out, counted and told by its number", async () => {
    await withSystem(async () => {
      using set = setting();
      const bad: number[] = [];
      const chunks = new Chunks(['{"data":1}\n{\n{"data":2}\n']);
      await using source = await set.start({
        open: () => chunks.open(),
        format: "ndjson",
        onBadLine: ({ line }) => bad.push(line),
      });
      await using _consumer = await set.consume(source, 10);
      await vi.waitFor(() => expect(set.ended).toBe(1));
      expect([set.seen, bad, set.tally.badLines]).toEqual([[1, 2], [2], 1]);
    });
  });

  it("takes posts at once or not at all, and in order with back-pressure", async () => {
    await withSystem(async () => {
      using set = setting();
      await using source = await set.start({}, 3);
      const post = (...data: number[]): Payload[] => data.map((n) => ({ data: n }));
      expect(await source.call.tryPush(post(1, 2))).toBe(true);
      expect(await source.call.tryPush(post(3, 4))).toBe(false);
      let taken = false;
      const pushed = source.call.push(post(3, 4)).then(() => (taken = true));
      await source.call.tryPush([]);
      expect(taken).toBe(false);
      await using _consumer = await set.consume(source, 10);
      await pushed;
      await vi.waitFor(() => expect(set.seen).toEqual([1, 2, 3, 4]));
      expect(set.tally.received).toBe(4);
    });
  });

  it("a quiet input holds no stop up", async () => {
    await withSystem(async () => {
      using set = setting();
      let returned = false;
      const quiet: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: () => {
            returned = true;
            return Promise.resolve({ done: true, value: undefined });
          },
        }),
      };
      const source = await set.start({ open: () => quiet });
      await using _consumer = await set.consume(source, 1);
      await source.call.tryPush([]);
      await source.stop();
      expect(returned).toBe(true);
    });
  });
});
