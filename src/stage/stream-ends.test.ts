import { describe, expect, it } from "vitest";
import { cellOf, quietly, range } from "../../test/stage/probing.ts";
import { all, counter, nobody } from "../../test/stage/pulling.ts";
import { start } from "../process/index.ts";
import type { ExitReason } from "../support/internal.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { from } from "./from.ts";
import { Producer } from "./producer.ts";
import { producer } from "./shorthands.ts";
import { stream, type StreamOptions } from "./stream.ts";
import { subscribe } from "./subscribe.ts";
import type { From } from "./subscription.ts";

describe("a stream that cannot be read", () => {
  it.each<[string, StreamOptions, string]>([
    ["maxDemand", { maxDemand: 0 }, "a whole number of at least 1"],
    ["maxDemand", { maxDemand: Infinity }, "a whole number of at least 1"],
    ["minDemand", { maxDemand: 5, minDemand: 5 }, "a whole number from 0 to 4"],
    ["cancel", { cancel: "never" as never }, '"permanent", "transient", "temporary"'],
    ["window", { window: 1 } as never, "one of the options"],
  ])(
    "S115, G97: refuses %s %o as it is built, and names the producer",
    (option, options, expected) => {
      expect(() => stream(nobody, options)).toThrow(
        expect.objectContaining({
          code: "SLUICE_INVALID_OPTION",
          message: expect.stringMatching(`^stream of the name nobody.${option}: got `) as string,
          details: expect.objectContaining({
            expected: expect.stringContaining(expected) as string,
          }) as object,
        }),
      );
      expect(() => stream([{ to: nobody, ...(options as object) }])).toThrow(
        `nobody.${option}: got`,
      );
    },
  );

  it.each([[7], [null], ["nobody"], [[nobody, 7]], [[{ maxDemand: 1 }]]])(
    "S115, G97: refuses %o as it is built",
    (source) => {
      expect(() => stream(source as never)).toThrow(/^stream: source.*expected a ref, a name/);
    },
  );

  it("refuses a demand that is none, and producers that are none", () => {
    expect(() => stream(nobody, { demand: "stop" as never })).toThrow(
      'stream: demand: got "stop", expected "forward" or "accumulate"',
    );
    for (const producers of [nobody, [nobody, 7]])
      expect(() => stream(nobody, { producers: producers as never })).toThrow(
        "stream: producers: got",
      );
  });

  it("refuses a signal that is none", () => {
    expect(() => stream(nobody, { signal: true as never })).toThrow("stream: signal: got true");
  });

  it("S105, G100: nobody there rejects, permanent or transient, once", async () => {
    await simulate(
      async ({ seed }) => {
        const cancel = seed % 2 === 0 ? "permanent" : "transient";
        await using endless = await start(counter().stage);
        const reader = stream([endless, nobody], { cancel })[Symbol.asyncIterator]();
        await expect(reader.next()).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
          details: { target: "the name nobody" },
        });
        expect(await reader.next()).toEqual({ value: undefined, done: true });
        expect(await reader.return()).toEqual({ value: undefined, done: true });
      },
      { seeds: 10 },
    );
  });

  it("S106, G100: a dead producer rejects, permanent or transient", async () => {
    await simulate(
      async ({ seed }) => {
        const dead = await start(counter().stage);
        await dead.stop();
        const cancel = seed % 2 === 0 ? "permanent" : "transient";
        await expect(all(stream(dead, { cancel }))).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
          details: { target: dead.pid },
        });
      },
      { seeds: 6 },
    );
  });

  it("S109, S110, G100: a temporary one of nobody, or of the dead, is empty; others go on", async () => {
    await simulate(
      async () => {
        const dead = await start(counter().stage);
        await dead.stop();
        expect(await all(stream(nobody, { cancel: "temporary" }))).toEqual([]);
        expect(await all(stream([dead], { cancel: "temporary" }))).toEqual([]);
        const finite = await start(from(() => [1, 2]));
        const some = stream([{ to: nobody, cancel: "temporary" }, finite]);
        expect(await all(some)).toEqual([1, 2]);
        expect(await all(stream([]))).toEqual([]);
      },
      { seeds: 10 },
    );
  });

  it("a consumer is no producer", async () => {
    await simulate(
      async () => {
        await using consumer = await start(probeConsumer<number>().stage);
        await expect(all(stream(consumer as never))).rejects.toMatchObject({
          code: "SLUICE_NOT_A_PRODUCER",
        });
      },
      { seeds: 3 },
    );
  });
});

/** Refuses whoever subscribes: by its own crash, or by cancelling with that reason. */
function refusing(reason: ExitReason | "dies"): new () => Producer<number> {
  return class Refusing extends Producer<number> {
    protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
      if (reason === "dies") throw new RangeError("nobody reads me");
      from.cancel(reason);
    }
  };
}

describe("a producer that does not take the subscription", () => {
  it("S107: and dies of it rejects with its reason, permanent or transient", async () => {
    await simulate(
      async ({ seed }) => {
        using _silent = quietly();
        const refuses = await start(refusing("dies"));
        const cancel = seed % 2 === 0 ? "permanent" : "transient";
        await expect(all(stream(refuses, { cancel }))).rejects.toMatchObject({
          code: "SLUICE_EXITED",
          details: { reason: { crash: new RangeError("nobody reads me") } },
          cause: new RangeError("nobody reads me"),
        });
        expect(await refuses.exited).toEqual({ crash: new RangeError("nobody reads me") });
      },
      { seeds: 10 },
    );
  });

  it("S108: and lives rejects with the reason of its cancel, permanent or transient", async () => {
    await simulate(
      async ({ seed }) => {
        await using refuses = await start(refusing({ crash: "no" }));
        const cancel = seed % 2 === 0 ? "permanent" : "transient";
        await expect(all(stream(refuses, { cancel }))).rejects.toMatchObject({
          details: { reason: { crash: "no" } },
          cause: "no",
        });
        expect(cellOf(refuses).closed).toBe(false);
      },
      { seeds: 10 },
    );
  });

  it("S111: and dies of it is an empty stream, temporary", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        const refuses = await start(refusing("dies"));
        expect(await all(stream(refuses, { cancel: "temporary" }))).toEqual([]);
      },
      { seeds: 10 },
    );
  });

  it("S112: and lives is an empty stream, temporary", async () => {
    await simulate(
      async () => {
        await using refuses = await start(refusing({ crash: "no" }));
        expect(await all(stream(refuses, { cancel: "temporary" }))).toEqual([]);
        expect(cellOf(refuses).closed).toBe(false);
      },
      { seeds: 10 },
    );
  });

  it("in order is the end and no failure", async () => {
    await simulate(
      async () => {
        await using refuses = await start(refusing({ shutdown: "closed" }));
        expect(await all(stream(refuses))).toEqual([]);
      },
      { seeds: 3 },
    );
  });
});

describe("a stream of several producers", () => {
  const merged = async (cancel: "permanent" | "transient" | "temporary"): Promise<number[]> => {
    const short = await start(from(() => range(3)));
    await using long = await start(from(() => range(300, 100)));
    return await all(stream([short, long], { cancel, maxDemand: 2, minDemand: 0 }));
  };

  it.each(["transient", "temporary"] as const)(
    "G100: %s ends when none is left, each in its order, nothing lost",
    async (cancel) => {
      await simulate(
        async () => {
          const read = await merged(cancel);
          expect(read.filter((n) => n < 100)).toEqual(range(3));
          expect(read.filter((n) => n >= 100)).toEqual(range(300, 100));
        },
        { seeds: 10 },
      );
    },
  );

  it("G100: permanent ends with the first that ends, in order", async () => {
    await simulate(
      async () => {
        const read = await merged("permanent");
        expect(read.filter((n) => n < 100)).toEqual(range(3));
        const others = read.filter((n) => n >= 100);
        expect(others).toEqual(range(others.length, 100));
        expect(others.length).toBeLessThan(100);
      },
      { seeds: 10 },
    );
  });

  it("G100: a crash fails the reading once, after what came before, with what was thrown as its cause", async () => {
    await simulate(
      async ({ seed }) => {
        using _silent = quietly();
        const failing = await start(
          from(function* () {
            yield* [-1, -2];
            throw new RangeError("three");
          }),
        );
        const other = counter();
        await using endless = await start(other.stage);
        const cancel = seed % 2 === 0 ? "permanent" : "transient";
        const seen: number[] = [];
        const reader = stream<number>([failing, endless], { cancel, maxDemand: 4 })[
          Symbol.asyncIterator
        ]();
        const reading = (async () => {
          for await (const n of reader) seen.push(n);
        })();
        await expect(reading).rejects.toMatchObject({
          code: "SLUICE_EXITED",
          cause: new RangeError("three"),
        });
        expect(seen.filter((n) => n < 0)).toEqual([-1, -2]);
        expect(await reader.next()).toEqual({ value: undefined, done: true });
        expect(other.cancels).toEqual([{ kind: "cancel", reason: "normal" }]);
      },
      { seeds: 20 },
    );
  });

  it("G100: temporary outlives a crash", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        const crashes = await start(
          producer<number>(() => {
            throw new RangeError("at once");
          }),
        );
        const finite = await start(from(() => [1, 2, 3]));
        const sources = [{ to: crashes, cancel: "temporary" }, finite] as const;
        expect(await all(stream<number>(sources))).toEqual([1, 2, 3]);
      },
      { seeds: 10 },
    );
  });

  it("a kill fails the reading, a stop ends it", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        using _silent = quietly();
        const source = await start(probeProducer<number>().stage);
        const reader = stream(source)[Symbol.asyncIterator]();
        const pulled = reader.next();
        pulled.catch(() => {});
        await quiet();
        if (seed % 2 === 0) {
          cellOf(source).kill("killed");
          await expect(pulled).rejects.toMatchObject({ details: { reason: "killed" } });
        } else {
          await source.stop("shutdown");
          expect(await pulled).toEqual({ value: undefined, done: true });
        }
      },
      { seeds: 10 },
    );
  });

  it("G102: is subscribed to a further producer while it is read; that is asked at the next pull", async () => {
    await simulate(
      async ({ quiet }) => {
        const [one, two] = [probeProducer<number>(), counter()];
        await using first = await start(one.stage);
        await using second = await start(two.stage);
        const reader = stream(first, { maxDemand: 2 })[Symbol.asyncIterator]();
        await expect(subscribe(reader, { to: second })).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
          details: { target: "a stream that nobody has read" },
        });
        const pulled = reader.next();
        await quiet();
        one.emit([-1]);
        expect((await pulled).value).toBe(-1);
        const from = await subscribe(reader, { to: second, maxDemand: 4, minDemand: 0 });
        await quiet();
        expect([from.ref.pid, two.asks]).toEqual([second.pid, []]);
        expect((await reader.next()).value).toBe(0);
        await reader.next();
        expect(two.asks).toEqual([4]);
        for (const expected of [2, 3, 4]) expect((await reader.next()).value).toBe(expected);
        expect(two.asks).toEqual([4, 4]);
        const waiting = [reader.next(), reader.next(), reader.next(), reader.next()];
        await quiet();
        const third = counter();
        await using late = await start(third.stage);
        await subscribe(reader, { to: late, maxDemand: 1 });
        await Promise.all(waiting);
        await quiet();
        await reader.return();
        expect(two.cancels.length + third.cancels.length).toBe(2);
      },
      { seeds: 20 },
    );
  });
});
