import { describe, expect, it } from "vitest";
import { Work, crew, source, workers } from "../../test/stage/crew.ts";
import { cellOf, quietly } from "../../test/stage/probing.ts";
import { Process, child, name, refOf, sleep, startSupervisor } from "../process/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { consumerSupervisor, type TaskContext } from "./consumer-supervisor.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

const nothing = (): void => {};

describe("the description of a ConsumerSupervisor", () => {
  it("CS1, CS4: is that of a supervisor, and its process is shown as one, by its name", async () => {
    const spec = consumerSupervisor(nothing, { restart: "temporary" });
    expect(spec).toMatchObject({ type: "supervisor", restart: "permanent", shutdown: "infinity" });
    const last = consumerSupervisor(nothing, { restart: "temporary", significant: true });
    expect(last).toMatchObject({ restart: "transient", significant: true });
    await simulate(
      async () => {
        await using staff = await crew(nothing, {});
        expect(await staff.app.call.whichChildren()).toMatchObject([
          { id: "source", type: "worker" },
          { id: "workers", type: "supervisor", state: "running" },
        ]);
      },
      { seeds: 2 },
    );
  });

  it("CS6: has a name while it lives, and is the child of whoever starts it", async () => {
    await simulate(
      async () => {
        const staff = await crew(nothing, {});
        expect(workers.whereis()?.pid).toMatch(/^workers#/);
        expect(cellOf(workers).parent).toBe(cellOf(staff.app));
        await staff.app.stop();
        expect(workers.whereis()).toBeUndefined();
      },
      { seeds: 2 },
    );
  });

  it.each([
    [[nothing], {}, "worker"],
    [[], {}, "worker"],
    [undefined, {}, "worker"],
    [{ child: 1 }, {}, "worker"],
    [nothing, undefined, "options"],
    [nothing, null, "options"],
    [nothing, { strategy: "one_for_all" }, "consumerSupervisor: strategy"],
    [nothing, { exclusive: true }, "consumerSupervisor: exclusive"],
    [nothing, { maxMailbox: 0 }, "maxMailbox"],
    [nothing, { restartDelayMs: -1 }, "restartDelayMs"],
    [nothing, { name: "workers" }, "name"],
    [nothing, { significant: 1 }, "significant"],
  ])("CS2, G106: %o with %o is refused where it is written: %s", (worker, options, option) => {
    const given = options && { restart: "temporary", ...options };
    expect(() => consumerSupervisor(worker as never, given as never)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        details: expect.objectContaining({ option }) as object,
      }),
    );
  });

  it.each([
    [{ restart: "permanent" }, "restart"],
    [{ restart: "temporary", shutdown: -1 }, "shutdown"],
  ])("CS3: %o is refused", (options, option) => {
    expect(() => consumerSupervisor(nothing, options as never)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ option }) as object }),
    );
  });

  it("CS9, CS10: a class alone, or a function, says what a child is", async () => {
    const seen: unknown[] = [];
    class Alone extends Process {
      constructor(event: number) {
        super();
        seen.push(event);
      }
      protected override init(): void {
        this.self.stop();
      }
    }
    for (const worker of [Alone, (event: number) => void seen.push(event)]) {
      await simulate(
        async ({ quiet }) => {
          seen.length = 0;
          await using staff = await crew(worker, { maxDemand: 1 });
          staff.probe.emit([1, 2]);
          await quiet();
          expect(seen).toEqual([1, 2]);
        },
        { seeds: 3 },
      );
    }
  });

  it("CS38: its events may come from any iterable", async () => {
    await simulate(
      async ({ quiet }) => {
        const numbers = name<Producer<number>>("numbers");
        const done: number[] = [];
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(
              from(() => new Set([3, 1, 2])),
              { name: numbers, restart: "temporary" },
            ),
            workers: consumerSupervisor((n: number) => void done.push(n), {
              restart: "temporary",
              subscribeTo: [{ to: numbers, maxDemand: 1, cancel: "temporary" }],
            }),
          },
        });
        await quiet();
        expect(done).toEqual([3, 1, 2]);
      },
      { seeds: 5 },
    );
  });
});

describe("subscribe", () => {
  it("CS31: a running one resolves with the subscription, which its events come by", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, {}, { subscribeTo: [] });
        const subscription = await subscribe(workers, { to: source, maxDemand: 2 });
        expect(subscription.ref.pid).toBe(source.whereis()!.pid);
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(work.sorted).toEqual([1, 2]);
        for (const event of [1, 2]) work.end(event);
        await quiet();
        work.end(3);
      },
      { seeds: 5 },
    );
  });

  it("CS32: bad terms are refused by path, and it goes on unharmed", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 1 });
        for (const [terms, option] of [
          [{ maxDemand: 0 }, "subscription.maxDemand"],
          [{ maxDemand: 1, minDemand: 1 }, "subscription.minDemand"],
          [{ cancel: "never" }, "subscription.cancel"],
        ] as const)
          await expect(subscribe(workers, { to: source, ...terms } as never)).rejects.toMatchObject(
            {
              code: "SLUICE_INVALID_OPTION",
              details: { option },
            },
          );
        staff.probe.emit([1]);
        await quiet();
        expect(work.begun).toEqual([1]);
        work.end(1);
      },
      { seeds: 2 },
    );
  });

  it.each([
    ["CS33: nobody at a name", "permanent", false],
    ["CS34: a dead producer", "permanent", true],
    ["CS35: nobody at a name", "temporary", false],
    ["CS36: a dead producer", "temporary", true],
  ] as const)("%s, %s: whoever asked is told, and it goes on", async (_case, cancel, dead) => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 1 });
        const ghost = await startSupervisor({
          strategy: "one_for_one",
          children: { ghost: child(probeProducer<number>().stage) },
        });
        const gone = ghost.children.ghost["~resolve"]() as { readonly ref: typeof source };
        await ghost.stop();
        const to = dead ? gone.ref : name<Producer<number>>("nobody");
        await expect(subscribe(workers, { to, cancel })).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
        });
        staff.probe.emit([1]);
        await quiet();
        expect(work.begun).toEqual([1]);
        work.end(1);
      },
      { seeds: 3 },
    );
  });

  it("G110: each subscription has its own account; children of one that has ended count for no other", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, {}, { subscribeTo: [], shutdown: "kill" });
        const terms = { to: source, maxDemand: 2, cancel: "temporary" } as const;
        const first = await subscribe(workers, terms);
        staff.probe.emit([1, 2]);
        await quiet();
        first.cancel();
        await subscribe(workers, terms);
        staff.probe.emit([3, 4, 5, 6]);
        await quiet();
        expect(work.sorted).toEqual([1, 2, 3, 4]);
        work.end(1);
        work.end(2);
        await quiet();
        expect(work.begun).toHaveLength(4);
        work.end(3);
        await quiet();
        expect(work.begun.at(-1)).toBe(5);
      },
      { seeds: 5 },
    );
  });
});

describe("what is asked for", () => {
  it("CS44: with 3/0 it asks when all have ended, for three, and never for nothing", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 3, minDemand: 0 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        for (const event of [3, 1]) {
          work.end(event);
          await quiet();
          expect(staff.probe.asks).toEqual([3]);
        }
        work.end(2);
        await quiet();
        expect(staff.probe.asks).toEqual([3, 3]);
      },
      { seeds: 5 },
    );
  });

  it("E22: however a child ends, that is seen: no slot leaks", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const endings = 8;
        class Ends extends Process {
          readonly #event: number;
          constructor(event: number) {
            super();
            this.#event = event % endings;
            if (this.#event === 0) throw new RangeError("constructor");
          }
          protected override async init(): Promise<void> {
            const { self } = this;
            if (this.#event === 1) throw new RangeError("init");
            if (this.#event === 2) self.stop("normal");
            if (this.#event === 3) self.after(5, () => self.stop({ shutdown: "own" }));
            if (this.#event === 4)
              self.after(5, () => {
                throw new RangeError("message");
              });
            // By others: a kill, the end of a linked process, a stop by hand.
            if (this.#event === 5) self.after(5, () => cellOf(refOf(this)).kill("killed"));
            if (this.#event === 6) self.link((await self.startLinked(Dies)) as never);
            if (this.#event === 7) self.after(5, () => workers.cast.terminateChild(self.pid));
          }
        }
        class Dies extends Process {
          protected override init(): void {
            this.self.after(3, () => this.self.stop({ crash: "linked" }));
          }
        }
        await using staff = await crew(Ends, { maxDemand: 3 });
        staff.probe.emit(Array.from({ length: 10 * endings }, (_, event) => event));
        await advance(1_000);
        await quiet();
        expect(staff.figures()).toMatchObject({ asked: 3, running: 0 });
        expect(cellOf(workers).children!.size).toBe(0);
      },
      { seeds: 10 },
    );
  });

  it.each(["temporary", "transient"] as const)(
    "R32: %s: demand is given back once per child that ends: no drift after 10,000",
    async (restart) => {
      const { steps } = await simulate(
        async ({ quiet, advance, random, always }) => {
          using _silent = quietly();
          let running = 0;
          let most = 0;
          let ended = 0;
          const work = async (_event: number, { signal }: TaskContext): Promise<void> => {
            most = Math.max(most, ++running);
            try {
              if (random() < 0.3) await sleep(random() * 5, signal);
              if (random() < 0.2) throw new RangeError("by chance");
              ended++;
            } finally {
              running--;
            }
          };
          const options = { restart, maxRestarts: 1e6, restartDelayMs: 1 } as const;
          await using staff = await crew(work, { maxDemand: 20 }, options);
          always("twenty at once, at most", () => most <= 20);
          const events = Array.from({ length: 10_000 }, (_, event) => event);
          staff.probe.emit(events);
          // Some are taken away by hand meanwhile, and some are started.
          for (let round = 0; round < 50; round++) {
            await advance(1);
            const [one] = await workers.call.whichChildren();
            if (one !== undefined) await workers.call.terminateChild(one.ref);
          }
          await advance(100_000);
          await quiet();
          const { figures } = topology(workers).nodes[0]!;
          expect(figures).toMatchObject({ asked: 20, running: 0 });
          expect(figures["done"]! + figures["failed"]!).toBe(10_000);
          if (restart === "transient") expect(ended).toBeGreaterThan(9_900);
        },
        { seeds: 2, maxSteps: 1e6 },
      );
      expect(steps).toBeGreaterThan(40_000);
    },
    60_000,
  );
});
