import { describe, expect, it } from "vitest";
import { cellOf, quietly, range } from "../../test/stage/probing.ts";
import { turns } from "../../test/stage/unhandled.ts";
import { world, writing } from "../../test/stage/writing.ts";
import { start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { from } from "./from.ts";
import { into } from "./into.ts";

/** A Web sink that takes chunks when it is told to. */
function slowWeb(highWaterMark: number): {
  readonly writable: WritableStream<unknown>;
  readonly got: unknown[];
  readonly told: unknown[];
  step: (error?: Error) => void;
} {
  const [got, told]: [unknown[], unknown[]] = [[], []];
  const waiting: PromiseWithResolvers<void>[] = [];
  const writable = new WritableStream<unknown>(
    {
      write(chunk) {
        got.push(chunk);
        const done = Promise.withResolvers<void>();
        waiting.push(done);
        return done.promise;
      },
      close: () => void told.push("closed"),
      abort: (reason) => void told.push(reason),
    },
    { highWaterMark },
  );
  const step = (error?: Error): void => {
    const done = waiting.shift();
    if (error === undefined) done?.resolve();
    else done?.reject(error);
  };
  return { writable, got, told, step };
}

describe("into a Web stream", () => {
  it("has as many chunks in flight as the queuing strategy has room for", async () => {
    await world(async () => {
      const { writable, got, told, step } = slowWeb(2);
      const { emit, asks, sink } = await writing(() => writable);
      emit(range(4));
      await turns();
      expect([got, asks]).toEqual([[0], [4]]);
      step();
      await turns();
      // One is in work, one waits in the stream: the first batch is through when there is room.
      expect([got, asks]).toEqual([
        [0, 1],
        [4, 2],
      ]);
      const stopped = sink.stop();
      for (let left = 4; left > 0; left--) {
        step();
        await turns();
      }
      await stopped;
      expect([got, told]).toEqual([range(4), ["closed"]]);
    });
  });

  it("an error of the sink ends the stage once, with that error", async () => {
    for (const chunks of [1, 4])
      await world(async () => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        const { writable, step } = slowWeb(2);
        const { emit, sink } = await writing(() => writable);
        emit(range(chunks));
        await turns();
        step(new RangeError("no more"));
        expect(await sink.exited).toEqual({ crash: new RangeError("no more") });
        expect(logged).toEqual([`${sink.pid} ended: crash: RangeError: no more`]);
      });
  });

  it("a kill aborts it with the reason; end: false gives it back", async () => {
    await world(async () => {
      using _silent = quietly();
      const [first, second] = [slowWeb(1), slowWeb(1)];
      const one = await writing(() => first.writable);
      cellOf(one.sink).kill("killed");
      await one.sink.exited;
      await turns();
      expect(first.told).toMatchObject([{ code: "SLUICE_EXITED", details: { reason: "killed" } }]);
      const two = await writing(() => second.writable, { end: false });
      await two.sink.stop();
      expect([second.writable.locked, second.told]).toEqual([false, []]);
    });
  });

  it("an error at its close is the reason of the end", async () => {
    await world(async () => {
      using _silent = quietly();
      const writable = new WritableStream({
        close: () => Promise.reject(new RangeError("not flushed")),
      });
      const { sink } = await writing(() => writable);
      await sink.stop();
      expect(await sink.exited).toEqual({ crash: new RangeError("not flushed") });
    });
  });

  it("writes through a transform", async () => {
    await world(async () => {
      const zip = new CompressionStream("gzip");
      const text = new Response(zip.readable.pipeThrough(new DecompressionStream("gzip"))).text();
      const source = await start(
        from(() => range(500).map((n) => new TextEncoder().encode(`${n},`))),
      );
      const sink = await start(
        into(() => zip.writable as WritableStream<Uint8Array>),
        {
          subscribeTo: [{ to: source, maxDemand: 7 }],
        },
      );
      expect(await sink.exited).toBe("normal");
      expect(await text).toBe(
        range(500)
          .map((n) => `${n},`)
          .join(""),
      );
    });
  });
});
