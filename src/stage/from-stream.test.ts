import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { byHand, cellOf, quietly, range } from "../../test/stage/probing.ts";
import { all, take } from "../../test/stage/pulling.ts";
import { turns, unhandled } from "../../test/stage/unhandled.ts";
import { Process, name, start, withSystem } from "../process/index.ts";
import { SluiceError } from "../support/internal.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, simulate } from "../testing/index.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";
import { stream } from "./stream.ts";

describe("from with options", () => {
  it("S116, G103: is linked to who starts it so, and not to who does not", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        using _silent = quietly();
        const source = from<number>(() => [1]);
        class Owner extends Process {
          linked(): Promise<unknown> {
            return this.self.startLinked(source);
          }
        }
        const owner = await start(Owner);
        const alone = await start(source);
        await owner.call.linked();
        const [child] = cellOf(owner).children!;
        if (seed % 2 === 0) child!.kill("killed");
        else await owner.stop("shutdown");
        expect(await owner.exited).toBe(seed % 2 === 0 ? "killed" : "shutdown");
        await quiet();
        expect([child!.doom, cellOf(alone).doom]).toEqual([
          seed % 2 === 0 ? "killed" : "shutdown",
          undefined,
        ]);
        await alone.stop();
      },
      { seeds: 10 },
    );
  });

  it("S117, G103: takes a name and the options of producers", async () => {
    await simulate(
      async () => {
        const numbers = name<Producer<number>>("numbers");
        const options = { name: numbers, dispatcher: demandDispatcher(), bufferSize: 1 };
        const started = await start(
          from(() => range(5)),
          options,
        );
        expect(numbers.whereis()?.pid).toBe(started.pid);
        expect(await all(stream(numbers))).toEqual(range(5));
      },
      { seeds: 5 },
    );
  });

  it.each([
    ["default", {}, undefined],
    ["continue", { onCancel: "continue" }, undefined],
    ["stop", { onCancel: "stop" }, "normal"],
  ] as const)(
    "S118, G103: onCancel %s, when the last consumer leaves",
    async (_what, options, reason) => {
      await simulate(
        async ({ quiet }) => {
          const source = await start(from(() => range(1e6), options));
          const [one, two] = [byHand<number>(), byHand<number>()];
          const first = await start(one.stage, { subscribeTo: [source] });
          const second = await start(two.stage, { subscribeTo: [source] });
          one.ask(2);
          await quiet();
          await first.stop();
          await quiet();
          expect(cellOf(source).doom).toBe(undefined);
          await second.stop();
          await quiet();
          expect(cellOf(source).doom).toBe(reason);
          await source.stop();
        },
        { seeds: 10 },
      );
    },
  );

  it("G103: refuses an option that it does not know, and a value that is none", () => {
    expect(() => from(() => [], { onCancel: "wait" as never })).toThrow(
      'from: onCancel: got "wait", expected "continue" or "stop"',
    );
    expect(() => from(() => [], { name: "x" } as never)).toThrow("from: name: got");
  });

  it("E21, G104: an exact multiple of the demand is known to be over with one demand more, and loses nothing", async () => {
    await simulate(
      async ({ quiet }) => {
        let ended = false;
        const seen = byHand<number>();
        const source = await start(
          from(function* () {
            yield* range(4);
            ended = true;
          }),
        );
        await using _seen = await start(seen.stage, {
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        for (const count of [2, 2]) {
          seen.ask(count);
          await quiet();
        }
        expect([seen.batches.flat(), ended, cellOf(source).doom]).toEqual([
          range(4),
          false,
          undefined,
        ]);
        seen.ask(1);
        expect(await source.exited).toBe("normal");
        expect([seen.batches.flat(), ended]).toEqual([range(4), true]);
      },
      { seeds: 10 },
    );
  });
});

describe("from a Node readable", () => {
  it("reads a file by demand, and in order", async () => {
    await withSystem(async () => {
      using watch = unhandled();
      const file = createReadStream(import.meta.filename, { encoding: "utf8", highWaterMark: 64 });
      const source = await start(from<string>(() => file));
      expect(file.bytesRead).toBe(0);
      const text = (await all(stream(source, { maxDemand: 3 }))).join("");
      expect(text).toContain("reads a file by demand, and in order");
      expect([await source.exited, file.destroyed]).toEqual(["normal", true]);
      await watch.none();
    });
  });

  it.each(["stop", "kill"] as const)("that is quiet is destroyed by a %s", async (how) => {
    await withSystem(async () => {
      using _silent = quietly();
      using watch = unhandled();
      const quiet = new PassThrough();
      const seen = probeConsumer<Buffer>();
      const source = await start(from<Buffer>(() => quiet));
      await using _seen = await start(seen.stage, {
        subscribeTo: [{ to: source, cancel: "temporary" }],
      });
      quiet.write("one");
      await seen.next();
      if (how === "stop") await source.stop("shutdown");
      else cellOf(source).kill("killed");
      await source.exited;
      if (!quiet.closed) await once(quiet, "close");
      expect(quiet.destroyed).toBe(true);
      await watch.none();
    });
  });

  it("that nobody has read is destroyed too", async () => {
    await withSystem(async () => {
      const unread = new PassThrough();
      const source = await start(from<Buffer>(() => unread));
      await source.stop();
      expect(unread.destroyed).toBe(true);
    });
  });

  it("that fails crashes the stage with its error, which the reader gets once", async () => {
    await withSystem(async () => {
      using _silent = quietly();
      using watch = unhandled();
      const source = await start(from(() => createReadStream("/nowhere/at/all")));
      const error = await all(stream(source)).then(undefined, (cause: unknown) => cause);
      expect(error).toMatchObject({ code: "SLUICE_EXITED", cause: { code: "ENOENT" } });
      expect(await source.exited).toMatchObject({ crash: { code: "ENOENT" } });
      await watch.none();
    });
  });

  it("that fails while nobody reads ends nothing; at its stop the log is told", async () => {
    await withSystem(async () => {
      const logged: unknown[] = [];
      using _log = attach("sluice.log", ({ details }) => logged.push(details));
      using watch = unhandled();
      const broken = new PassThrough();
      const source = await start(from<Buffer>(() => broken));
      broken.destroy(new RangeError("cut"));
      await new Promise((resolve) => broken.on("close", resolve));
      expect(logged).toEqual([]);
      await source.stop("shutdown");
      await watch.none();
      expect(logged).toEqual([new RangeError("cut")]);
    });
  });

  it("given the signal of the stage ends with it, and nobody is told of the abort", async () => {
    await withSystem(async () => {
      const logged: unknown[] = [];
      using _log = attach("sluice.log", ({ message }) => logged.push(message));
      using watch = unhandled();
      const source = await start(from(({ signal }) => new Readable({ signal, read() {} })));
      const reader = stream(source)[Symbol.asyncIterator]();
      const pulled = reader.next();
      await turns();
      await source.stop("shutdown");
      expect(await pulled).toEqual({ value: undefined, done: true });
      await watch.none();
      expect(logged).toEqual([]);
    });
  });
});

/** A Web stream of numbers that writes down what is done to it. */
function numbers(end = Infinity): {
  readonly stream: ReadableStream<number>;
  readonly told: unknown[];
  pulled: number;
} {
  const told: unknown[] = [];
  const source = {
    told,
    pulled: 0,
    stream: new ReadableStream<number>(
      {
        pull(controller) {
          if (source.pulled < end) controller.enqueue(source.pulled++);
          else controller.close();
        },
        cancel: (reason) => void told.push(reason),
      },
      { highWaterMark: 0 },
    ),
  };
  return source;
}

describe("from a Web stream", () => {
  it("pulls exactly what is asked for; over, it is unlocked", async () => {
    await simulate(
      async ({ quiet }) => {
        const web = numbers(7);
        const seen = byHand<number>();
        const source = await start(from(() => web.stream));
        await using _seen = await start(seen.stage, {
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        await quiet();
        expect([web.pulled, web.stream.locked]).toEqual([0, true]);
        seen.ask(3);
        while (seen.batches.flat().length < 3) await seen.next();
        expect(web.pulled).toBe(3);
        seen.ask(5);
        expect(await source.exited).toBe("normal");
        await quiet();
        expect([seen.batches.flat(), web.stream.locked, web.told]).toEqual([range(7), false, []]);
      },
      { seeds: 3 },
    );
  });

  it.each(["stop", "kill", "the last consumer leaves"] as const)(
    "%s: is cancelled with the reason and unlocked",
    async (how) => {
      await withSystem(async () => {
        using _silent = quietly();
        using watch = unhandled();
        const web = numbers();
        const source = await start(from(() => web.stream, { onCancel: "stop" }));
        expect(await take(stream(source, { maxDemand: 2 }), how === "stop" ? 1 : 3)).toContain(0);
        if (how === "stop") await source.stop("shutdown");
        else if (how === "kill") cellOf(source).kill("killed");
        await source.exited;
        expect([web.stream.locked, web.told.length]).toEqual([false, 1]);
        expect(SluiceError.is(web.told[0], "SLUICE_EXITED")).toBe(true);
        await watch.none();
      });
    },
  );

  it("a quiet one is cancelled in the middle of a read", async () => {
    await withSystem(async () => {
      using watch = unhandled();
      const told: unknown[] = [];
      const quiet = new ReadableStream<number>({ cancel: (reason) => void told.push(reason) });
      const source = await start(from(() => quiet));
      const pulled = stream(source)[Symbol.asyncIterator]().next();
      await turns();
      await source.stop({ shutdown: "enough" });
      expect(await pulled).toEqual({ value: undefined, done: true });
      expect(told).toMatchObject([{ details: { reason: { shutdown: "enough" } } }]);
      await watch.none();
    });
  });

  it("that fails crashes the stage with its error, once", async () => {
    await withSystem(async () => {
      const logged: string[] = [];
      using _log = attach("sluice.log", ({ message }) => logged.push(message));
      using watch = unhandled();
      const failing = new ReadableStream<number>({
        pull: (controller) => controller.error(new RangeError("torn")),
      });
      const source = await start(from(() => failing));
      await expect(all(stream(source))).rejects.toMatchObject({ cause: new RangeError("torn") });
      expect([await source.exited, failing.locked]).toEqual([
        { crash: new RangeError("torn") },
        false,
      ]);
      await watch.none();
      expect(logged).toEqual([`${source.pid} ended: crash: RangeError: torn`]);
    });
  });

  it("that somebody else reads fails the start", async () => {
    await withSystem(async () => {
      const { stream: locked } = numbers();
      locked.getReader();
      await expect(start(from(() => locked))).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
      });
    });
  });

  it("is read through a transform", async () => {
    await withSystem(async () => {
      const text = "to and fro ".repeat(1_000);
      const bytes = (): ReadableStream<Uint8Array> =>
        new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
      const zipped = await all(stream(await start(from(bytes))));
      const unzipped = new Blob(zipped as Uint8Array<ArrayBuffer>[])
        .stream()
        .pipeThrough(new DecompressionStream("gzip"));
      expect(await new Response(unzipped).text()).toBe(text);
      expect(Buffer.concat(zipped).length).toBeLessThan(1_000);
    });
  });
});
