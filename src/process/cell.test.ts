import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, info, name, refOf, sleep, start, withSystem, type Ref } from "./index.ts";
import { processes } from "./internal.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let logged: string[];
let listener: Disposable;
beforeEach(() => {
  logged = [];
  listener = attach("sluice.log", ({ message }) => logged.push(message));
});
afterEach(() => listener[Symbol.dispose]());

/** Writes down what it is told, and how many of its callbacks run at once. */
class Diary extends Process {
  readonly entries: unknown[] = [];
  #open = 0;
  write(entry: unknown): void {
    this.entries.push(entry);
  }
  async writeSlowly(entry: unknown, ms: number): Promise<void> {
    if (++this.#open > 1) throw new Error("two callbacks at once");
    this.entries.push(`${String(entry)} begins`);
    await sleep(ms);
    this.entries.push(`${String(entry)} ends`);
    this.#open--;
  }
  protected override handleInfo(message: unknown): void | Promise<void> {
    this.entries.push({ info: message });
  }
  read(): readonly unknown[] {
    return [...this.entries];
  }
}

describe("a process", () => {
  it("R2: runs one callback at a time, to its end, also across await", () =>
    simulated(async () => {
      await using diary = await start(Diary);
      diary.cast.writeSlowly("a", 20);
      diary.cast.write("between");
      diary.cast.writeSlowly("b", 10);
      info(diary, "last");
      expect(await diary.call.read()).toEqual([
        "a begins",
        "a ends",
        "between",
        "b begins",
        "b ends",
        { info: "last" },
      ]);
    }));

  it("R2: no mix of messages, timers and infos makes two callbacks run at once", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("cast", "slow", "info", "timer"), fc.nat(30)), {
          maxLength: 20,
        }),
        fc.nat(),
        async (steps, seed) => {
          await simulate(
            async ({ advance }) => {
              class Busy extends Diary {
                later(entry: number, ms: number): void {
                  this.self.after(ms, () => this.writeSlowly(entry, ms));
                }
              }
              await using diary = await start(Busy);
              for (const [kind, n] of steps) {
                if (kind === "cast") diary.cast.write(n);
                else if (kind === "slow") diary.cast.writeSlowly(n, n);
                else if (kind === "info") info(diary, n);
                else diary.cast.later(n, n);
              }
              await advance(2_000);
              const begun = steps.filter(([kind]) => kind === "slow" || kind === "timer").length;
              const entries = await diary.call.read();
              expect(entries.filter((entry) => String(entry).endsWith("ends"))).toHaveLength(begun);
            },
            { seeds: [seed] },
          );
        },
      ),
      { numRuns: 50 },
    ));

  it("O2: gets the messages of each sender in the order in which that sent them, whatever their kind", () =>
    simulated(async ({ quiet }) => {
      class Sender extends Process {
        send(to: Ref<Diary>, from: string): void {
          for (let n = 0; n < 4; n++) {
            if (n % 2 === 0) to.cast.write(`${from}${n}`);
            else info(to, `${from}${n}`);
          }
          void to.call.write(`${from}4`);
        }
      }
      await using diary = await start(Diary);
      await using a = await start(Sender);
      await using b = await start(Sender);
      a.cast.send(diary, "a");
      b.cast.send(diary, "b");
      await quiet();
      const texts = (await diary.call.read()).map((entry) =>
        typeof entry === "string" ? entry : String((entry as { info: unknown }).info),
      );
      for (const from of ["a", "b"]) {
        expect(texts.filter((text) => text.startsWith(from))).toEqual(
          [0, 1, 2, 3, 4].map((n) => `${from}${n}`),
        );
      }
    }));

  it("is never run by a send: a message to itself comes after the one in hand", () =>
    simulated(async () => {
      class Echo extends Diary {
        twice(): void {
          refOf<Echo>(this).cast.write("second");
          this.write("first");
        }
      }
      await using echo = await start(Echo);
      echo.cast.twice();
      await echo.call.read();
      expect(await echo.call.read()).toEqual(["first", "second"]);
    }));

  it("handles what waits behind an init that takes long, in order", () =>
    simulated(async () => {
      const slow = name<Slow>("slow");
      class Slow extends Diary {
        protected override async init(): Promise<void> {
          await sleep(100);
          this.entries.push("up");
        }
      }
      const starting = start(Slow, { name: slow });
      slow.cast.write("early");
      const read = slow.call.read();
      await using _running = await starting;
      expect(await read).toEqual(["up", "early"]);
    }));
});

describe("a batch of messages in one turn", () => {
  class Batch extends Diary {
    leave(): void {
      this.self.stop("normal");
    }
    linkTo(gone: Ref<unknown>): void {
      this.self.link(gone);
    }
    protected override terminate(): void {
      kept.push(...this.entries);
    }
  }
  let kept: unknown[] = [];

  it("O16: ends where the process stops itself: what follows is not handled", () =>
    withSystem(async () => {
      kept = [];
      const batch = await start(Batch);
      batch.cast.write(1);
      batch.cast.leave();
      batch.cast.write(2);
      expect(await batch.exited).toBe("normal");
      expect(kept).toEqual([1]);
    }));

  it("O8: ends where an exit hits the process", () =>
    withSystem(async () => {
      const gone = await start(Diary);
      await gone.stop();
      const written: unknown[] = [];
      class Written extends Batch {
        override write(entry: unknown): void {
          written.push(entry);
        }
      }
      const batch = await start(Written);
      batch.cast.write(1);
      batch.cast.linkTo(gone);
      batch.cast.write(2);
      expect(await batch.exited).toBe("noproc");
      expect(written).toEqual([1]);
    }));

  it("is handled whole, in order, also across awaits", () =>
    withSystem(async () => {
      await using batch = await start(Batch);
      const entries = Array.from({ length: 500 }, (_, n) => n);
      for (const entry of entries) {
        if (entry % 100 === 99) void batch.call.writeSlowly("slow", 0);
        batch.cast.write(entry);
      }
      expect((await batch.call.read()).filter((entry) => typeof entry === "number")).toEqual(
        entries,
      );
    }));
});

describe("cast", () => {
  it("O13: to nobody, to an ended process and to a full mailbox is dropped and counted", () =>
    simulated(async ({ advance }) => {
      const dropped: unknown[] = [];
      using _listener = attach("sluice.process.dropped", (event) => dropped.push(event));
      const table = currentSystem().get(processes);
      const nobody = name<Diary>("nobody");
      nobody.cast.write(1);
      info(nobody, 2);
      const gone = await start(Diary);
      await gone.stop();
      gone.cast.write(3);
      info(gone, 4);
      await using full = await start(Diary, { maxMailbox: 1 });
      full.cast.writeSlowly("x", 10);
      await advance(1);
      full.cast.write(5);
      full.cast.write(6);
      info(full, 7);
      expect(table.dropped).toBe(6);
      expect(dropped).toEqual(
        [undefined, undefined, gone.pid, gone.pid, full.pid, full.pid].map((pid) => ({
          pid,
          count: 1,
        })),
      );
      await advance(20);
      expect(await full.call.read()).toEqual(["x begins", "x ends", 5]);
    }));

  it("sends a message by name of a class that also has it in a field, also before its first object is made", () =>
    simulated(async () => {
      const early = name<Fields>("early");
      class Fields extends Diary {
        readonly shout = (text: string): void => this.write(text.toUpperCase());
      }
      const starting = start(Fields, { name: early });
      early.cast.shout("one");
      await using fields = await starting;
      fields.cast.shout("two");
      expect(await fields.call.read()).toEqual(["ONE", "TWO"]);
    }));
});

describe("info", () => {
  it("O13: without handleInfo is logged and dropped, the process goes on", () =>
    simulated(async () => {
      class Deaf extends Process {
        here(): boolean {
          return true;
        }
      }
      await using deaf = await start(Deaf);
      info(deaf, "hello");
      expect(await deaf.call.here()).toBe(true);
      expect(logged).toContain(`${deaf.pid} got an info and has no handleInfo`);
    }));

  it("holds the mailbox while handleInfo takes its time", () =>
    simulated(async () => {
      class Slow extends Diary {
        protected override async handleInfo(message: unknown): Promise<void> {
          await sleep(10);
          this.write(message);
        }
      }
      await using slow = await start(Slow);
      info(slow, "info");
      slow.cast.write("cast");
      expect(await slow.call.read()).toEqual(["info", "cast"]);
    }));

  it.each([undefined, null, "process", { cast: {} }])("refuses the target %s", (target) => {
    expect(() => info(target as never, 1)).toThrow(
      expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
    );
  });
});

describe("a hostile callback", () => {
  const looked = (): never => {
    throw new Error("looked at");
  };
  const hostile: Record<string, () => unknown> = {
    undefined: () => undefined,
    null: () => null,
    "a string": () => "text",
    NaN: () => NaN,
    "a symbol": () => Symbol("s"),
    "a bigint": () => 1n,
    "a function": () => () => {},
    "an object without prototype": () => ({ __proto__: null }),
    "an object with throwing getters": () =>
      Object.defineProperties({}, { message: { get: looked }, name: { get: looked } }),
    "an Error with throwing getters": () =>
      Object.defineProperties(new Error("x"), {
        message: { get: looked },
        name: { get: looked },
        stack: { get: looked },
      }),
    "a Proxy all of whose traps throw": () =>
      new Proxy(
        {},
        {
          get: looked,
          has: looked,
          getPrototypeOf: looked,
          ownKeys: looked,
          getOwnPropertyDescriptor: looked,
        },
      ),
    "an object that throws when printed": () => ({
      toString: looked,
      toJSON: looked,
      [Symbol.toPrimitive]: looked,
      [Symbol.for("nodejs.util.inspect.custom")]: looked,
    }),
  };

  class Thrower extends Process {
    throw(value: unknown): void {
      throw value;
    }
    async reject(value: unknown): Promise<void> {
      await sleep(1);
      throw value;
    }
  }

  describe.each(Object.entries(hostile))("that throws %s", (_name, make) => {
    it.each(["throw", "reject"] as const)(
      "R10: by %s ends its process alone, with it as the reason",
      async (how) => {
        await simulate(
          async () => {
            await using bystander = await start(Diary);
            const thrower = await start(Thrower);
            const value = make();
            await expect(thrower.call[how](value)).rejects.toMatchObject({ code: "SLUICE_EXITED" });
            const reason = await thrower.exited;
            expect(Object.is((reason as { crash: unknown }).crash, value)).toBe(true);
            bystander.cast.write("alive");
            expect(await bystander.call.read()).toEqual(["alive"]);
          },
          { seeds: 3 },
        );
        expect(logged).toHaveLength(3);
      },
    );
  });

  it("R10: a thenable that throws, or settles twice, is one result", () =>
    simulated(async () => {
      class Odd extends Process {
        twice(): PromiseLike<number> {
          return {
            // oxlint-disable-next-line unicorn/no-thenable -- the odd one is what is tested
            then(resolve: (value: number) => unknown, reject: (error: unknown) => unknown) {
              resolve(1);
              resolve(2);
              reject(new Error("late"));
            },
          } as PromiseLike<number>;
        }
        throws(): PromiseLike<number> {
          return {
            // oxlint-disable-next-line unicorn/no-thenable -- the odd one is what is tested
            then() {
              throw new Error("no");
            },
          };
        }
      }
      const odd = await start(Odd);
      expect(await odd.call.twice()).toBe(1);
      expect(await odd.call.twice()).toBe(1);
      await expect(odd.call.throws()).rejects.toMatchObject({ code: "SLUICE_EXITED" });
      expect(currentSystem().get(processes).zombies).toBe(0);
    }));
});
