import { describe, expect, it } from "vitest";
import {
  Process,
  child,
  name,
  sleep,
  startSupervisor,
  type RunningSupervisor,
} from "../process/index.ts";
import { drain, type Cell } from "../process/internal.ts";
import { attach } from "../telemetry/index.ts";
import { probeProducer, simulate, type ProducerProbe } from "../testing/index.ts";
import {
  consumerSupervisor,
  type ConsumerSupervisorOptions,
  type EventProcessClass,
  type TaskContext,
  type TaskFunction,
} from "./consumer-supervisor.ts";
import { StageKind, events as eventsMessage } from "./protocol.ts";
import type { ConsumerSupervisorProcess } from "./consumer-supervisor-engine.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";
import { subscribe } from "./subscribe.ts";
import type { Subscription } from "./subscription.ts";
import { topology } from "./topology.ts";

const source = name<Producer<number>>("source");
const workers = name<Process>("workers");
const quietly = (): Disposable => attach("sluice.log", () => {});

interface Crew {
  readonly probe: ProducerProbe<number>;
  readonly app: RunningSupervisor<never>;
  /** What the supervisor shows of itself. */
  figures(): object;
}

/** A producer that the test drives, and children per event below it. */
async function crew(
  worker: TaskFunction<number> | EventProcessClass<number>,
  subscription: Omit<Subscription<number>, "to">,
  options: Partial<ConsumerSupervisorOptions<number>> = {},
): Promise<Crew & AsyncDisposable> {
  const probe = probeProducer<number>();
  const app = await startSupervisor({
    strategy: "rest_for_one",
    children: {
      source: child(probe.stage, { name: source, restart: "temporary" }),
      workers: consumerSupervisor(worker, {
        restart: "temporary",
        name: workers,
        subscribeTo: [{ to: source, ...subscription }],
        ...options,
      }),
    },
  });
  return {
    probe,
    app: app as never,
    figures: () => topology(workers).nodes[0]!.figures,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

/** Work that the test lets end, event by event. */
class Work {
  readonly begun: number[] = [];
  /** What was begun, whatever came first. */
  get sorted(): number[] {
    return this.begun.toSorted((a, b) => a - b);
  }
  readonly open: Map<number, PromiseWithResolvers<void>> = new Map();
  readonly run = (event: number): Promise<void> => {
    this.begun.push(event);
    const settle = Promise.withResolvers<void>();
    this.open.set(event, settle);
    return settle.promise;
  };
  end(event: number): void {
    this.open.get(event)?.resolve();
  }
}

describe("a ConsumerSupervisor", () => {
  it("CS37, G105: runs one child per event", async () => {
    await simulate(
      async ({ quiet }) => {
        const done: number[] = [];
        await using staff = await crew((event) => void done.push(event), { maxDemand: 10 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
        expect(staff.figures()).toEqual({ asked: 10, running: 0, done: 3, failed: 0 });
      },
      { seeds: 20 },
    );
  });

  it("runs a process class for each event, which its constructor takes", async () => {
    await simulate(
      async ({ advance }) => {
        const done: string[] = [];
        class Order extends Process {
          readonly #event: number;
          constructor(event: number) {
            super();
            this.#event = event;
          }
          protected override init(): void {
            this.self.after(10, () => {
              done.push(`${this.#event} ${this.self.pid}`);
              this.self.stop();
            });
          }
        }
        await using staff = await crew(Order, { maxDemand: 2 });
        staff.probe.emit([1, 2, 3]);
        await advance(15);
        expect(done).toHaveLength(2);
        await advance(15);
        expect(done).toHaveLength(3);
        expect(done[2]).toMatch(/^3 Order#/);
      },
      { seeds: 10 },
    );
  });

  it("CS40: with 1/0 begins the next event when the child of the one before has ended", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 1 });
        staff.probe.emit([1, 2, 3]);
        for (const event of [1, 2, 3]) {
          await quiet();
          expect(work.begun.at(-1)).toBe(event);
          work.end(event);
        }
        await quiet();
        expect(work.begun).toEqual([1, 2, 3]);
      },
      { seeds: 10 },
    );
  });

  it("never runs more children at once than it asked for, and asks for one more as each ends", async () => {
    await simulate(
      async ({ always, advance, random }) => {
        let running = 0;
        let most = 0;
        const ended: number[] = [];
        const work = async (event: number): Promise<void> => {
          most = Math.max(most, ++running);
          await sleep(random() * 100);
          running--;
          ended.push(event);
        };
        always("five at once, at most", () => most <= 5);
        await using staff = await crew(work, { maxDemand: 5 });
        staff.probe.emit(Array.from({ length: 100 }, (_, n) => n));
        await advance(10_000);
        expect([ended.length, most]).toEqual([100, 5]);
      },
      { seeds: 30 },
    );
  });

  it("G111, CS43: with 3/1 asks again when one is left, for two", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 3, minDemand: 1 });
        staff.probe.emit([1, 2, 3, 4, 5]);
        await quiet();
        work.end(2);
        await quiet();
        expect(work.sorted).toEqual([1, 2, 3]);
        work.end(1);
        await quiet();
        expect(work.sorted).toEqual([1, 2, 3, 4, 5]);
      },
      { seeds: 10 },
    );
  });

  it("A6, G122: keeps a window for each of its producers", async () => {
    await simulate(
      async ({ quiet }) => {
        const [one, two] = [probeProducer<number>(), probeProducer<number>()];
        const [first, second] = [name<Producer<number>>("one"), name<Producer<number>>("two")];
        const work = new Work();
        await using app = await startSupervisor({
          strategy: "rest_for_one",
          children: {
            one: child(one.stage, { name: first }),
            two: child(two.stage, { name: second }),
            workers: consumerSupervisor(work.run, {
              restart: "temporary",
              shutdown: 0,
              subscribeTo: [
                { to: first, maxDemand: 1 },
                { to: second, maxDemand: 2 },
              ],
            }),
          },
        });
        one.emit([1, 2, 3]);
        two.emit([11, 12, 13]);
        await quiet();
        expect(work.sorted).toEqual([1, 11, 12]);
        work.end(11);
        await quiet();
        expect(work.begun.at(-1)).toBe(13);
        expect(topology(app).edges.map(({ maxDemand, pending }) => [maxDemand, pending])).toEqual([
          [1, 1],
          [2, 2],
        ]);
      },
      { seeds: 10 },
    );
  });

  it("G120: starts what comes in excess too, logs it, and keeps its window", async () => {
    await simulate(
      async ({ quiet }) => {
        const errors: string[] = [];
        using _log = attach("sluice.log", ({ message }) => errors.push(message));
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 1 });
        staff.probe.emit([1]);
        await quiet();
        const cell = workers["~resolve"]() as Cell;
        const [tag] = (cell.engine as ConsumerSupervisorProcess).inlet.intakes.keys();
        cell.send(eventsMessage(tag!, [2], 0));
        await quiet();
        expect(work.begun).toEqual([1, 2]);
        expect(errors).toEqual([expect.stringContaining("got 1 events in excess from")]);
        work.end(2);
        await quiet();
        expect(staff.probe.asks).toEqual([1]);
        work.end(1);
        await quiet();
        expect(staff.probe.asks).toEqual([1, 1]);
        expect(StageKind.events).toBe(19);
      },
      { seeds: 5 },
    );
  });

  it("subscribes while it runs", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, {}, { subscribeTo: [] });
        await subscribe(workers as never, { to: source, maxDemand: 2 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(work.sorted).toEqual([1, 2]);
        work.end(1);
        work.end(2);
        await quiet();
        work.end(3);
      },
      { seeds: 5 },
    );
  });
});

describe("the end of a child", () => {
  it("G113: transient: a crash is tried again with the same event, and its slot stays taken", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const tries: [event: number, attempt: number][] = [];
        const work = async (event: number, { attempt }: TaskContext): Promise<void> => {
          tries.push([event, attempt]);
          await sleep(10);
          if (event === 7 && attempt < 3) throw new RangeError("again");
        };
        await using staff = await crew(work, { maxDemand: 1 }, { restart: "transient" });
        staff.probe.emit([7, 8]);
        await advance(25);
        expect(tries).toEqual([
          [7, 1],
          [7, 2],
          [7, 3],
        ]);
        expect(staff.probe.asks).toEqual([1]);
        await advance(10);
        await quiet();
        expect(tries.at(-1)).toEqual([8, 1]);
        await sleep(5_000);
        expect(staff.figures()).toMatchObject({ done: 2, failed: 0, running: 0 });
      },
      { seeds: 5 },
    );
  });

  it("G113: transient: an orderly end is one", async () => {
    await simulate(
      async ({ quiet }) => {
        let begun = 0;
        class Leaves extends Process {
          protected override init(): void {
            begun++;
            this.self.stop({ shutdown: "enough" });
          }
        }
        await using staff = await crew(Leaves, { maxDemand: 1 }, { restart: "transient" });
        staff.probe.emit([1, 2]);
        await quiet();
        expect([begun, staff.figures()]).toEqual([2, { asked: 1, running: 0, done: 2, failed: 0 }]);
      },
      { seeds: 10 },
    );
  });

  it("temporary: a crash loses the event, is logged, and gives its slot back", async () => {
    await simulate(
      async ({ quiet }) => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        const work = (event: number): void => {
          if (event === 1) throw new RangeError("one");
        };
        await using staff = await crew(work, { maxDemand: 1 });
        staff.probe.emit([1, 2]);
        await quiet();
        expect(staff.figures()).toEqual({ asked: 1, running: 0, done: 1, failed: 1 });
        expect(logged).toEqual([
          expect.stringMatching(/^work#\d+ of workers#\d+ ended: crash: RangeError: one$/),
        ]);
      },
      { seeds: 5 },
    );
  });

  it("G112: a child that fails to start is a crash", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        class Bad extends Process {
          protected override init(): Promise<void> {
            return Promise.reject(new RangeError("no"));
          }
        }
        await using staff = await crew(Bad, { maxDemand: 2 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(staff.figures()).toEqual({ asked: 2, running: 0, done: 0, failed: 3 });
      },
      { seeds: 5 },
    );
  });

  it("G114: more restarts than allowed end the supervisor, and its children with it", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const aborted: number[] = [];
        const work = async (event: number, { signal }: TaskContext): Promise<void> => {
          if (event === 0) throw new RangeError("always");
          await sleep(1e6, signal).catch(() => aborted.push(event));
        };
        await using staff = await crew(
          work,
          { maxDemand: 3 },
          { restart: "transient", maxRestarts: 2, maxSeconds: 1 },
        );
        const ended: unknown[] = [];
        using _exits = attach("sluice.process.exited", ({ label, reason }) => {
          if (label === "workers") ended.push(reason);
        });
        staff.probe.emit([1, 2]);
        await quiet();
        staff.probe.emit([0]);
        await advance(100);
        expect(aborted.toSorted((a, b) => a - b)).toEqual([1, 2]);
        expect(ended).toMatchObject([
          { shutdown: { code: "SLUICE_RESTART_INTENSITY", details: { restarts: 2, seconds: 1 } } },
        ]);
      },
      { seeds: 10 },
    );
  });
});

describe("the end of its producer", () => {
  it("CS42, G119: temporary: the children remain, and ask nobody when they end", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 2, cancel: "temporary" });
        staff.probe.emit([1, 2]);
        await quiet();
        (source.whereis()!["~resolve"]() as Cell).stop("normal");
        await quiet();
        expect(staff.figures()).toMatchObject({ running: 2 });
        work.end(1);
        work.end(2);
        await quiet();
        expect(staff.figures()).toEqual({ asked: 0, running: 0, done: 2, failed: 0 });
      },
      { seeds: 10 },
    );
  });

  it("permanent, in order: its children finish first, then it ends, and the program with it", async () => {
    await simulate(
      async ({ advance }) => {
        const done: number[] = [];
        const finite = name<Producer<number>>("finite");
        const work = async (event: number): Promise<void> => {
          await sleep(10);
          done.push(event);
        };
        await using app = await startSupervisor({
          strategy: "rest_for_one",
          autoShutdown: "any_significant",
          children: {
            finite: child(
              from(() => [1, 2, 3, 4, 5]),
              { name: finite, restart: "transient" },
            ),
            workers: consumerSupervisor(work, {
              restart: "temporary",
              significant: true,
              name: workers,
              subscribeTo: [{ to: finite, maxDemand: 2 }],
            }),
          },
        });
        await advance(25);
        expect(finite.whereis()).toBeUndefined();
        expect(workers.whereis()).toBeDefined();
        expect(await app.exited).toBe("shutdown");
        expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
      },
      { seeds: 20 },
    );
  });

  it("permanent, by a crash: the children are stopped at once", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const reasons: unknown[] = [];
        const work = async (_event: number, { signal }: TaskContext): Promise<void> => {
          await sleep(1e6, signal);
        };
        using _exits = attach("sluice.process.exited", ({ label, reason }) => {
          if (label === "work") reasons.push(reason);
        });
        await using staff = await crew(work, { maxDemand: 2 });
        staff.probe.emit([1, 2]);
        await quiet();
        (source.whereis()!["~resolve"]() as Cell).kill({ crash: "source" });
        await quiet();
        expect(reasons).toEqual(["shutdown", "shutdown"]);
      },
      { seeds: 10 },
    );
  });
});

describe("the stop of a ConsumerSupervisor", () => {
  it("G118, CS27: tells all children together, and kills those that do not end in time", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const reasons: unknown[] = [];
        using _exits = attach("sluice.process.exited", ({ label, reason }) => {
          if (label === "work") reasons.push(reason);
        });
        let begun = 0;
        const work = async (event: number, { signal }: TaskContext): Promise<void> => {
          begun++;
          if (event < 3) await sleep(1e6, signal);
          else await new Promise(() => {});
        };
        const staff = await crew(work, { maxDemand: 3 }, { shutdown: 100 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(begun).toBe(3);
        const stopped = staff.app.stop();
        await advance(50);
        expect(reasons).toEqual(["shutdown", "shutdown"]);
        await stopped;
        expect(reasons).toEqual(["shutdown", "shutdown", "killed"]);
      },
      { seeds: 10 },
    );
  });

  it("a drain waits for the children, those included whose events are on their way", async () => {
    await simulate(
      async ({ random }) => {
        const done: number[] = [];
        const work = async (event: number): Promise<void> => {
          await sleep(random() * 20);
          done.push(event);
        };
        await using staff = await crew(work, { maxDemand: 3 });
        staff.probe.emit([1, 2, 3, 4, 5, 6, 7, 8]);
        await drain(staff.app["~resolve"]() as Cell);
        expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      },
      { seeds: 50 },
    );
  });
});

describe("options of a ConsumerSupervisor", () => {
  const nothing = (): void => {};

  it.each([
    [
      { restart: "permanent" },
      "restart",
      '"permanent"',
      '"transient" or "temporary": a permanent child would never give its slot back',
    ],
    [
      {},
      "restart",
      "undefined",
      '"transient" or "temporary": a permanent child would never give its slot back',
    ],
    [
      { restart: "temporary", maxRestarts: -1 },
      "maxRestarts",
      "-1",
      "a whole number of at least 0",
    ],
    [{ restart: "temporary", maxSeconds: 0 }, "maxSeconds", "0", "a whole number of at least 1"],
    [
      { restart: "temporary", shutdown: "soon" },
      "shutdown",
      '"soon"',
      'milliseconds, 0 or more, "infinity" or "kill"',
    ],
  ])("G107, G108: %o is refused where it is written", (given, option, got, expected) => {
    expect(() => consumerSupervisor(nothing, given as never)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        details: { option, got, expected },
      }),
    );
  });

  it("what is no function is refused", () => {
    expect(() => consumerSupervisor(7 as never, { restart: "temporary" })).toThrow(
      expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
    );
  });

  it("minDemand defaults to all but one", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 4 });
        staff.probe.emit([1, 2, 3, 4, 5]);
        await quiet();
        expect(work.begun).toHaveLength(4);
        work.end(3);
        await quiet();
        expect(work.begun).toHaveLength(5);
        for (const event of work.begun) work.end(event);
        await quiet();
      },
      { seeds: 5 },
    );
  });
});
