import { describe, expect, it } from "vitest";
import { cellOf, range } from "../../test/stage/probing.ts";
import { all, counter, nobody, take } from "../../test/stage/pulling.ts";
import { Process, info, name, sleep, start, withSystem } from "../process/index.ts";
import type { Addressable } from "../support/internal.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";
import { from } from "./from.ts";
import { Producer } from "./producer.ts";
import { stream } from "./stream.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

describe("a stream of a producer", () => {
  it("S102, S113, G101: taking 10 of 1,000 leaves nothing behind and the producer alive, which was told", async () => {
    await simulate(
      async () => {
        const source = counter();
        await using endless = await start(source.stage);
        expect(await take(stream(endless), 10)).toEqual(range(10));
        // The confirmation came before the loop was left.
        expect(source.cancels).toEqual([{ kind: "cancel", reason: "normal" }]);
        expect(source.asks).toEqual([1_000]);
        expect(topology(endless).nodes[0]?.figures["asked"]).toBe(0);
        expect(await take(stream(endless), 1)).toEqual([1_000]);
      },
      { seeds: 30 },
    );
  });

  it("S103, G99: takes 300 with a window of 100, and asks for a batch when the one after it is pulled", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = counter();
        await using endless = await start(source.stage);
        const reader = stream(endless, { maxDemand: 100 })[Symbol.asyncIterator]();
        const taken: unknown[] = [];
        const pull = async (count: number): Promise<readonly number[]> => {
          for (let left = count; left > 0; left--) taken.push((await reader.next()).value);
          await quiet();
          return source.asks.splice(0);
        };
        expect(await pull(1)).toEqual([100]);
        expect(await pull(49)).toEqual([]);
        expect(await pull(1)).toEqual([50]);
        expect(await pull(49)).toEqual([]);
        expect(await pull(200)).toEqual([50, 50, 50, 50]);
        expect(taken).toEqual(range(300));
        await reader.return();
      },
      { seeds: 20 },
    );
  });

  it("S114, G100: of a finite source is complete, and over; both are gone", async () => {
    await simulate(
      async ({ seed }) => {
        const finite = await start(from(() => range(300)));
        const cancel = (["permanent", "transient", "temporary"] as const)[seed % 3]!;
        expect(await all(stream(finite, { maxDemand: 100, cancel }))).toEqual(range(300));
        expect(await finite.exited).toBe("normal");
      },
      { seeds: 30 },
    );
  });

  it("S104: reading inside a process leaves that process its own messages, infos and downs", async () => {
    await simulate(
      async ({ quiet }) => {
        const seen: unknown[] = [];
        class Reads extends Process {
          async sum(numbers: typeof nobody): Promise<number> {
            let sum = 0;
            for await (const n of stream(numbers, { maxDemand: 4 })) sum += n;
            seen.push("read");
            return sum;
          }
          watch(whom: Addressable): void {
            this.self.monitor(whom, (reason) => void seen.push(reason));
          }
          note(text: string): void {
            seen.push(text);
          }
          protected override handleInfo(message: unknown): void {
            seen.push(message);
          }
        }
        const slow = name<Producer<number>>("slow");
        await start(
          from(async function* () {
            for (const n of [1, 2, 3]) {
              await sleep(5);
              yield n;
            }
          }),
          { name: slow },
        );
        const other = await start(probeConsumer<number>().stage);
        await using reads = await start(Reads);
        await reads.call.watch(other);
        const sum = reads.call.sum(slow);
        reads.cast.note("noted");
        info(reads, "informed");
        await other.stop("shutdown");
        expect(await sum).toBe(6);
        await quiet();
        expect(seen).toEqual(["read", "noted", "informed", "shutdown"]);
      },
      { seeds: 20 },
    );
  });

  it("G97: is lazy: nothing is subscribed to before the first pull, and each iteration subscribes anew", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = counter();
        await using endless = await start(source.stage);
        const numbers = stream(endless, { maxDemand: 1, minDemand: 0 });
        const unread = numbers[Symbol.asyncIterator]();
        await quiet();
        expect([source.asks, topology(endless).nodes[0]?.figures["asked"]]).toEqual([[], 0]);
        expect(await unread.return()).toEqual({ value: undefined, done: true });
        expect(await unread.next()).toEqual({ value: undefined, done: true });
        expect(await take(numbers, 2)).toEqual([0, 1]);
        expect(await take(numbers, 2)).toEqual([2, 3]);
        expect(source.cancels.length).toBe(2);
      },
      { seeds: 10 },
    );
  });

  it("a reader that stops pulling stops its producer: no demand dangles but the window", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = counter();
        await using endless = await start(source.stage);
        await using reader = stream(endless, { maxDemand: 10 })[Symbol.asyncIterator]();
        await reader.next();
        await quiet();
        expect(source.asks).toEqual([10]);
        expect(topology(reader).nodes[0]).toMatchObject({
          label: "stream",
          kind: "consumer",
          figures: { asked: 0, waiting: 9, done: 1 },
        });
        expect(topology(endless).nodes[0]?.figures["asked"]).toBe(0);
      },
      { seeds: 10 },
    );
  });

  it("pulls that wait are served in order, and are done when the reader leaves", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        await using quietOne = await start(source.stage);
        const reader = stream(quietOne)[Symbol.asyncIterator]();
        const pulls = [reader.next(), reader.next(), reader.next()];
        await quiet();
        source.emit([1, 2]);
        expect(await Promise.all(pulls.slice(0, 2))).toEqual([
          { value: 1, done: false },
          { value: 2, done: false },
        ]);
        const left = [reader.return(), reader.return()];
        const done = { value: undefined, done: true };
        expect(await Promise.all([...left, pulls[2], reader.return()])).toEqual([
          done,
          done,
          done,
          done,
        ]);
      },
      { seeds: 20 },
    );
  });

  it("that is left before its first step is through waits for nobody", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        await using endless = await start(counter().stage);
        const reader = stream(endless)[Symbol.asyncIterator]();
        const pulled = reader.next();
        if (seed % 2 === 0) await quiet();
        await reader.return();
        expect(await pulled).toEqual(
          seed % 2 === 0 ? { value: 0, done: false } : { value: undefined, done: true },
        );
      },
      { seeds: 10 },
    );
  });
});

describe("a stream with a signal", () => {
  it("fails at once with the reason, in the middle of a wait or before the next pull, and leaves nothing", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        const source = probeProducer<number>();
        await using quietOne = await start(source.stage);
        const stop = new AbortController();
        const reader = stream(quietOne, { signal: stop.signal })[Symbol.asyncIterator]();
        const pulled = reader.next();
        pulled.catch(() => {});
        if (seed % 2 === 0) {
          await quiet();
          source.emit([1]);
          await pulled;
        } else if (seed % 3 === 0) await quiet();
        stop.abort(new RangeError("enough"));
        await expect(seed % 2 === 0 ? reader.next() : pulled).rejects.toThrow("enough");
        expect(await reader.next()).toEqual({ value: undefined, done: true });
        await quiet();
        expect(topology(quietOne).nodes[0]?.figures["asked"]).toBe(0);
      },
      { seeds: 20 },
    );
  });

  it("that has aborted before is not read at all", async () => {
    await simulate(
      async () => {
        const source = counter();
        await using endless = await start(source.stage);
        const signal = AbortSignal.abort(new RangeError("too late"));
        await expect(all(stream(endless, { signal }))).rejects.toThrow("too late");
        expect(source.asks).toEqual([]);
      },
      { seeds: 1 },
    );
  });

  it("does not wait for the confirmation of a producer that is stuck", async () => {
    await withSystem(async () => {
      let free = (): void => {};
      class Stuck extends Producer<number> {
        hang(): Promise<void> {
          return new Promise((resolve) => (free = resolve));
        }
      }
      await using stuck = await start(Stuck);
      const stop = new AbortController();
      const reader = stream(stuck, { signal: stop.signal })[Symbol.asyncIterator]();
      const pulled = reader.next();
      stuck.cast.hang();
      const left = reader.return();
      stop.abort();
      expect(await left).toEqual({ value: undefined, done: true });
      expect(await pulled).toEqual({ value: undefined, done: true });
      free();
    });
  });

  it("is that of the process which reads: its stop ends the reading, and is no crash", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = counter();
        await using quietOne = await start(probeProducer<number>().stage);
        await using endless = await start(source.stage);
        class Reads extends Consumer<number> {
          protected override async handleEvents(): Promise<void> {
            for await (const _ of stream(quietOne)) {
              // Nothing comes.
            }
          }
        }
        const reads = await start(Reads, { subscribeTo: [{ to: endless, maxDemand: 1 }] });
        await quiet();
        await reads.stop("shutdown");
        expect(await reads.exited).toBe("shutdown");
        await quiet();
      },
      { seeds: 10 },
    );
  });
});

describe("the subscription of a reader", () => {
  it("is paused, resumed and given another window while it is read; nothing is lost, its end comes behind", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = await start(from(() => range(40)));
        await using other = await start(probeProducer<number>().stage);
        const reader = stream<number>(other)[Symbol.asyncIterator]();
        const first = reader.next();
        await quiet();
        const subscription = await subscribe(reader, { to: source, maxDemand: 4, minDemand: 2 });
        expect((await first).value).toBe(0);
        subscription.pause();
        const read = [0, (await reader.next()).value];
        const waiting = reader.next();
        await quiet();
        expect(topology(reader).nodes[0]?.figures["waiting"]).toBe(2);
        subscription.resume();
        subscription.setDemand({ maxDemand: 30 });
        read.push((await waiting).value);
        for (let left = 37; left > 0; left--) read.push((await reader.next()).value);
        expect(read).toEqual(range(40));
        subscription.pause();
        await quiet();
        await reader.return();
        expect(await source.exited).toBe("normal");
      },
      { seeds: 20 },
    );
  });
});

describe("the process behind a reader", () => {
  it("killed from outside fails the reading; nothing is logged twice", async () => {
    await simulate(
      async ({ quiet }) => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        await using quietOne = await start(probeProducer<number>().stage);
        const reader = stream(quietOne)[Symbol.asyncIterator]();
        const pulled = reader.next();
        pulled.catch(() => {});
        await quiet();
        cellOf(reader).kill("killed");
        await expect(pulled).rejects.toMatchObject({ details: { reason: "killed" } });
        expect(await reader.next()).toEqual({ value: undefined, done: true });
        expect(logged.length).toBe(1);
      },
      { seeds: 5 },
    );
  });
});
