import { PassThrough, Writable } from "node:stream";
import { from, into, map, start, stream, type ExitReason } from "sluice";
import { describe, expect, it } from "vitest";
import { cellOf, quietly } from "./probing.ts";
import { turns } from "./unhandled.ts";
import { world } from "./writing.ts";

const crash = (what: string): ExitReason => ({ crash: new RangeError(what) });

/** A source and a sink of Node with a stage between, in the middle of their work, and what has happened to them. */
async function line() {
  const input = new PassThrough({ objectMode: true });
  const got: unknown[] = [];
  const output = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      got.push(chunk);
      if (chunk === "full") done(new RangeError("sink"));
      else setImmediate(done);
    },
  });
  const source = await start(from<string>(() => input, { onCancel: "stop" }));
  const between = await start(
    map((text: string) => {
      if (text === "bad") throw new RangeError("stage");
      return text;
    }),
    { subscribeTo: [source] },
  );
  const sink = await start(
    into<string>(() => output),
    { subscribeTo: [{ to: between, maxDemand: 2 }] },
  );
  for (const text of ["one", "two", "three"]) input.write(text);
  while (got.length < 3) await turns();
  return { input, output, got, source, between, sink };
}

type Line = Awaited<ReturnType<typeof line>>;

describe("a line from stream to stream: whatever ends it, all is let go of, and who is told is told once", () => {
  it.each<[string, (line: Line) => unknown, readonly ExitReason[], boolean]>([
    ["the source ends", ({ input }) => input.end(), ["normal", "normal", "normal"], true],
    [
      "the source fails",
      ({ input }) => input.destroy(new RangeError("source")),
      [crash("source"), crash("source"), crash("source")],
      false,
    ],
    [
      "the stage between crashes",
      ({ input }) => input.write("bad"),
      ["normal", crash("stage"), crash("stage")],
      false,
    ],
    [
      "the sink fails",
      ({ input, between, sink }) => {
        input.write("full");
        void sink.exited.then(() => between.stop());
      },
      ["normal", "normal", crash("sink")],
      false,
    ],
    [
      "the source is stopped",
      ({ source }) => source.stop("shutdown"),
      ["shutdown", "shutdown", "shutdown"],
      true,
    ],
    [
      "the source is killed",
      ({ source }) => cellOf(source).kill("killed"),
      ["killed", "killed", "killed"],
      false,
    ],
  ])("%s", async (_what, end, reasons, through) => {
    await world(async () => {
      using _silent = quietly();
      const running = await line();
      const { input, output, got, source, between, sink } = running;
      end(running);
      expect(await Promise.all([source.exited, between.exited, sink.exited])).toEqual(reasons);
      await turns();
      expect([input.destroyed, output.destroyed, output.writableFinished]).toEqual([
        true,
        true,
        through,
      ]);
      expect(got.slice(0, 3)).toEqual(["one", "two", "three"]);
    });
  });

  it("a reader that leaves, and one whose body throws", async () => {
    await world(async () => {
      for (const leave of ["break", "throw"] as const) {
        const input = new PassThrough({ objectMode: true });
        const source = await start(from<string>(() => input, { onCancel: "stop" }));
        input.write("one");
        const reading = (async () => {
          for await (const _ of stream(source)) {
            if (leave === "break") break;
            throw new RangeError("body");
          }
          return "left";
        })();
        if (leave === "break") expect(await reading).toBe("left");
        else await expect(reading).rejects.toThrow("body");
        expect([await source.exited, input.destroyed]).toEqual(["normal", true]);
      }
    });
  });
});
