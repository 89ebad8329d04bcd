import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReadableStream as WebStream } from "node:stream/web";
import { describe, expect, it } from "vitest";
import { quietly, range } from "../../test/stage/probing.ts";
import { counter } from "../../test/stage/pulling.ts";
import { turns } from "../../test/stage/unhandled.ts";
import { world } from "../../test/stage/writing.ts";
import { start } from "../process/index.ts";
import { from } from "./from.ts";
import { readable } from "./readable.ts";
import { stream } from "./stream.ts";

async function all<T>(web: ReadableStream<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of web) events.push(event);
  return events;
}

describe("readable", () => {
  it("is lazy, reads in order, and closes at the end", async () => {
    await world(async () => {
      const numbers = await start(from(() => range(2_500)));
      const web = readable(numbers, { maxDemand: 100 });
      await turns();
      expect(numbers["~resolve"]()).toMatchObject({ engine: { outlet: { delivered: 0 } } });
      expect(await all(web)).toEqual(range(2_500));
      expect(await numbers.exited).toBe("normal");
    });
  });

  it.each([
    ["a counted strategy", new CountQueuingStrategy({ highWaterMark: 6 }), {}, [6, 3]],
    ["a mark alone", { highWaterMark: 4 }, {}, [4, 2]],
    ["a mark of nothing", { highWaterMark: 0 }, {}, [1, 1, 1]],
    ["a mark and a window", { highWaterMark: 6 }, { maxDemand: 2, minDemand: 0 }, [2, 2]],
    ["a window alone", undefined, { maxDemand: 8, minDemand: 4 }, [8]],
  ])("has with %s as much on its way", async (_what, strategy, window, asks) => {
    await world(async () => {
      const source = counter();
      await using endless = await start(source.stage);
      const web = readable(endless, { ...window, ...(strategy === undefined ? {} : { strategy }) });
      const reader = web.getReader();
      const read: unknown[] = [];
      for (let left = 3; left > 0; left--) read.push((await reader.read()).value);
      await turns();
      // The ask of a batch is sent when the batch after it is read.
      reader.read().catch(() => {});
      await turns();
      expect(read).toEqual(range(3));
      expect(source.asks.slice(0, asks.length)).toEqual(asks);
      expect(source.asks.reduce((sum, ask) => sum + ask, 0) - 4).toBeLessThanOrEqual(asks[0]!);
      await reader.cancel();
    });
  });

  it("measured by size, asks one by one while less than the mark is unread", async () => {
    await world(async () => {
      const source = counter();
      await using endless = await start(source.stage);
      const strategy = { highWaterMark: 25, size: () => 10 };
      const web = readable(endless, { strategy });
      await turns();
      expect(source.asks).toEqual([1, 1, 1]);
      const reader = web.getReader();
      expect((await reader.read()).value).toBe(0);
      await turns();
      expect(source.asks).toEqual([1, 1, 1, 1]);
      await reader.cancel();
    });
  });

  it("cancelled, cancels the subscription; the producer lives on", async () => {
    await world(async () => {
      const source = counter();
      await using endless = await start(source.stage);
      const web = readable(endless);
      const reader = web.getReader();
      await reader.read();
      await reader.cancel("enough");
      expect(source.cancels).toEqual([{ kind: "cancel", reason: "normal" }]);
      const waiting = readable(
        await start(from(() => new ReadableStream<number>(), { onCancel: "stop" })),
      );
      const other = waiting.getReader();
      const read = other.read();
      await turns();
      await other.cancel();
      expect(await read).toEqual({ value: undefined, done: true });
    });
  });

  it("errors once with what the producer died of, after what came before", async () => {
    await world(async () => {
      using _silent = quietly();
      const failing = await start(
        from(function* () {
          yield* [1, 2];
          throw new RangeError("three");
        }),
      );
      const reader = readable(failing).getReader();
      expect([(await reader.read()).value, (await reader.read()).value]).toEqual([1, 2]);
      await expect(reader.read()).rejects.toMatchObject({ cause: new RangeError("three") });
    });
  });

  it("flows through transforms into another stage, back-pressure and all", async () => {
    await world(async () => {
      const text = range(3_000).map((n) => `line ${n}\n`);
      const lines = await start(from(() => text));
      const zipped = await start(
        from(() =>
          readable(lines, { strategy: { highWaterMark: 10 } })
            .pipeThrough(new TextEncoderStream())
            .pipeThrough(new CompressionStream("gzip")),
        ),
      );
      const unzipped = readable(zipped, { maxDemand: 2 }).pipeThrough(
        new DecompressionStream("gzip"),
      );
      expect(await new Response(unzipped).text()).toBe(text.join(""));
    });
  });

  it("a failing sink at its end cancels it; the failure is told to whoever pipes, once", async () => {
    await world(async () => {
      const source = counter();
      await using endless = await start(source.stage);
      const full = new WritableStream<number>({
        write: (n) => (n === 2 ? Promise.reject(new RangeError("full")) : undefined),
      });
      await expect(readable(endless).pipeTo(full)).rejects.toThrow("full");
      await turns();
      expect(source.cancels).toEqual([{ kind: "cancel", reason: "normal" }]);
    });
  });

  it.each([
    [{ strategy: 5 as never }, "readable: strategy: got 5"],
    [{ strategy: { highWaterMark: 1.5 } }, "readable: strategy.highWaterMark: got 1.5"],
    [{ strategy: { highWaterMark: Infinity } }, "readable: strategy.highWaterMark: got"],
    [{ maxDemand: 0 }, "maxDemand: got 0"],
  ])("refuses %o", async (options, message) => {
    await world(async () => {
      await using endless = await start(counter().stage);
      expect(() => readable(endless, options)).toThrow(message);
    });
  });
});

describe("a stream, given to the platform as it is", () => {
  it("is what ReadableStream.from takes", async () => {
    await world(async () => {
      const numbers = await start(from(() => range(300)));
      const web = WebStream.from(stream(numbers, { maxDemand: 10 })) as ReadableStream<number>;
      expect(await all(web)).toEqual(range(300));
      const source = counter();
      await using endless = await start(source.stage);
      const reader = (WebStream.from(stream(endless)) as ReadableStream<number>).getReader();
      expect((await reader.read()).value).toBe(0);
      await reader.cancel();
      expect(source.cancels.length).toBe(1);
    });
  });

  it("is what Node's Readable.from takes: read, destroyed, failing", async () => {
    await world(async () => {
      using _silent = quietly();
      const numbers = await start(from(() => range(300)));
      const doubled: number[] = [];
      await pipeline(
        Readable.from(stream(numbers, { maxDemand: 10 })),
        new Transform({
          objectMode: true,
          transform: (n: number, _encoding, done) => done(null, n * 2),
        }),
        async (events: AsyncIterable<number>) => {
          for await (const n of events) doubled.push(n);
        },
      );
      expect(doubled).toEqual(range(300).map((n) => n * 2));

      const source = counter();
      await using endless = await start(source.stage);
      const node = Readable.from(stream(endless, { maxDemand: 4 }), { highWaterMark: 1 });
      for await (const n of node) if (n === 5) break;
      await turns();
      expect([node.destroyed, source.cancels.length]).toEqual([true, 1]);
      expect(source.asks.reduce((sum, ask) => sum + ask, 0)).toBeLessThanOrEqual(6 + 1 + 1 + 4);

      const crashing = await start(
        from(function* () {
          yield 1;
          throw new RangeError("two");
        }),
      );
      const errors: unknown[] = [];
      await pipeline(Readable.from(stream(crashing)), async (events: AsyncIterable<number>) => {
        for await (const _ of events);
      }).catch((error: unknown) => errors.push(error));
      expect(errors).toMatchObject([{ code: "SLUICE_EXITED", cause: new RangeError("two") }]);
    });
  });
});
