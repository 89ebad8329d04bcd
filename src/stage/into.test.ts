import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { cellOf, quietly, range } from "../../test/stage/probing.ts";
import { turns } from "../../test/stage/unhandled.ts";
import { world, writing } from "../../test/stage/writing.ts";
import { child, name, start, startSupervisor } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeProducer } from "../testing/index.ts";
import { from } from "./from.ts";
import { into } from "./into.ts";
import type { Producer } from "./producer.ts";
import { topology } from "./topology.ts";

/** A writable of objects that takes chunks when it is told to. */
function slow(highWaterMark: number): {
  readonly writable: Writable;
  readonly got: unknown[];
  step: (error?: Error) => void;
} {
  const got: unknown[] = [];
  const waiting: ((error?: Error | null) => void)[] = [];
  const writable = new Writable({
    objectMode: true,
    highWaterMark,
    write(chunk, _encoding, done) {
      got.push(chunk);
      waiting.push(done);
    },
  });
  return { writable, got, step: (error) => waiting.shift()?.(error ?? null) };
}

describe("into a Node writable", () => {
  it("writes within the high-water mark, and asks for more only when there is room again", async () => {
    await world(async () => {
      const { writable, got, step } = slow(2);
      const { emit, asks, sink } = await writing(() => writable);
      emit(range(4));
      await turns();
      expect([got, writable.writableLength, asks]).toEqual([[0], 2, [4]]);
      step();
      await turns();
      expect([got, asks]).toEqual([[0, 1], [4]]);
      step();
      await turns();
      // The first batch is through: two more are asked for, and the second batch waits.
      expect([got, writable.writableLength, asks]).toEqual([[0, 1, 2], 2, [4, 2]]);
      const stopped = sink.stop();
      for (let left = 2; left > 0; left--) {
        step();
        await turns();
      }
      await stopped;
      expect([got, writable.writableFinished]).toEqual([range(4), true]);
    });
  });

  it("writes a file, whole and in order, that is there when the stage is gone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "into-"));
    try {
      await world(async () => {
        const path = join(folder, "copy");
        const text = name<Producer<Buffer>>("text");
        const source = from<Buffer>(() =>
          createReadStream(import.meta.filename, { highWaterMark: 100 }),
        );
        await using _source = await start(source, { name: text });
        const sink = await start(
          into(() => createWriteStream(path, { highWaterMark: 150 })),
          {
            subscribeTo: [{ to: text, maxDemand: 3 }],
          },
        );
        expect(await sink.exited).toBe("normal");
        expect(await readFile(path)).toEqual(await readFile(import.meta.filename));
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("an error of the stream ends the stage once, with that error, whoever waits for it", async () => {
    for (const busy of [false, true])
      await world(async () => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        const { writable, step } = slow(1);
        const { emit, sink } = await writing(() => writable);
        if (busy) {
          emit([1, 2]);
          await turns();
          step(new RangeError("disk full"));
        } else writable.destroy(new RangeError("disk full"));
        expect(await sink.exited).toEqual({ crash: new RangeError("disk full") });
        expect(logged).toEqual([`${sink.pid} ended: crash: RangeError: disk full`]);
      });
  });

  it("a file that cannot be opened crashes the stage with nothing written", async () => {
    await world(async () => {
      using _silent = quietly();
      const { sink } = await writing(() => createWriteStream("/nowhere/at/all"));
      expect(await sink.exited).toMatchObject({ crash: { code: "ENOENT" } });
    });
  });

  it("an error at the very end is the reason of the end", async () => {
    await world(async () => {
      using _silent = quietly();
      const writable = new Writable({
        objectMode: true,
        write: (_chunk, _encoding, done) => done(),
        final: (done) => done(new RangeError("not flushed")),
      });
      const { emit, sink } = await writing(() => writable);
      emit([1]);
      await turns();
      await sink.stop();
      expect(await sink.exited).toEqual({ crash: new RangeError("not flushed") });
    });
  });

  it.each(["end", "destroy"] as const)("%s by somebody else crashes it by name", async (how) => {
    await world(async () => {
      using _silent = quietly();
      const stream = new PassThrough();
      const { emit, sink } = await writing(() => stream);
      stream.resume();
      stream[how]();
      emit(["late"]);
      expect(await sink.exited).toMatchObject({
        crash: { code: "SLUICE_SINK_CLOSED", details: { stage: sink.pid } },
      });
    });
  });

  it("one that is over before it is opened crashes it, too", async () => {
    await world(async () => {
      using _silent = quietly();
      const stream = new PassThrough();
      stream.destroy();
      await once(stream, "close");
      const { sink } = await writing(() => stream);
      expect(await sink.exited).toMatchObject({ crash: { code: "SLUICE_SINK_CLOSED" } });
      await turns();
    });
  });

  it.each(["kill", "crash of the producer", "stop that takes too long"] as const)(
    "%s: is destroyed, not ended",
    async (how) => {
      await world(async () => {
        using _silent = quietly();
        const { writable } = slow(1);
        const failing = from(function* () {
          yield* [1, 2];
          throw new RangeError("source");
        });
        const source = await start(failing);
        const sink = await start(
          into<unknown>(() => writable),
          {
            shutdown: 20,
            subscribeTo: [{ to: source, maxDemand: how === "crash of the producer" ? 9 : 1 }],
          },
        );
        await turns();
        if (how === "kill") cellOf(sink).kill("killed");
        if (how === "crash of the producer") cellOf(source).kill({ crash: "source" });
        else await sink.stop();
        if (how === "crash of the producer") await sink.stop();
        await sink.exited;
        await turns();
        expect([writable.destroyed, writable.writableFinished]).toEqual([true, false]);
        await source.stop();
      });
    },
  );

  it("end: false leaves it open and takes the listeners away, however the stage ends", async () => {
    for (const how of ["stop", "kill"] as const)
      await world(async () => {
        using _silent = quietly();
        const stream = new PassThrough({ objectMode: true });
        const { emit, sink } = await writing(() => stream, { end: false });
        const listening = stream.listenerCount("error");
        emit([1]);
        await turns();
        if (how === "stop") await sink.stop();
        else cellOf(sink).kill("killed");
        await sink.exited;
        expect([stream.writableEnded, stream.destroyed, stream.read()]).toEqual([false, false, 1]);
        expect([listening, stream.listenerCount("error")]).toEqual([1, 0]);
      });
  });

  it("a socket whose reader is slow slows the source", async () => {
    await world(async () => {
      const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
      await once(server, "listening");
      let made = 0;
      const chunk = Buffer.alloc(64 * 1024);
      const source = await start(
        from(function* () {
          for (; made < 400; made++) yield chunk;
        }),
      );
      const accepted = once(server, "connection");
      const { port } = server.address() as AddressInfo;
      const sink = await start(
        into(() => connect(port, "127.0.0.1")),
        {
          subscribeTo: [{ to: source, maxDemand: 2 }],
        },
      );
      const [socket] = (await accepted) as [PassThrough];
      let before = -1;
      while (made !== before) {
        before = made;
        await turns();
      }
      expect(made).toBeLessThan(400);
      let bytes = 0;
      socket.on("data", (data: Buffer) => (bytes += data.length)).resume();
      expect(await sink.exited).toBe("normal");
      if (!socket.readableEnded) await once(socket, "end");
      expect(bytes).toBe(400 * chunk.length);
      socket.destroy();
      server.close();
    });
  });

  it("is opened anew with each incarnation", async () => {
    await world(async () => {
      using _silent = quietly();
      const opened: PassThrough[] = [];
      const source = probeProducer<string>();
      const lines = name<Producer<string>>("lines");
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          lines: child(source.stage, { name: lines }),
          sink: child(
            into<string>(() => opened[opened.push(new PassThrough()) - 1]!),
            { subscribeTo: [lines] },
          ),
        },
      });
      opened[0]!.destroy(new RangeError("broken"));
      await turns();
      source.emit(["again"]);
      await turns();
      expect([opened.length, String(opened[1]!.read())]).toEqual([2, "again"]);
      expect(topology(app).edges.length).toBe(1);
    });
  });
});

describe("into what is no stream", () => {
  it.each([[7], [null], [{ write: true }]])("refuses %o, and the start fails", async (bad) => {
    await world(async () => {
      await expect(start(into(() => bad as never))).rejects.toMatchObject({
        code: "SLUICE_START_FAILED",
        cause: { code: "SLUICE_INVALID_RETURN" },
      });
    });
  });

  it("refuses options that it does not know", () => {
    expect(() => into(() => new PassThrough(), { end: 1 as never })).toThrow("into: end: got 1");
    expect(() => into(() => new PassThrough(), { close: true } as never)).toThrow("into: close");
  });
});
