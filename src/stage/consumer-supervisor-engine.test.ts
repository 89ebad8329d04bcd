import { describe, expect, it } from "vitest";
import { Work, crew, source, workers } from "../../test/stage/crew.ts";
import { cellOf, quietly } from "../../test/stage/probing.ts";
import { Process, child, name, sleep, startSupervisor, drain } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import { consumerSupervisor, type TaskContext } from "./consumer-supervisor.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";

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
        expect([begun, staff.figures()]).toEqual([
          2,
          { asked: 1, waiting: 0, running: 0, done: 2, failed: 0 },
        ]);
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
        expect(staff.figures()).toEqual({ asked: 1, waiting: 0, running: 0, done: 1, failed: 1 });
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
        expect(staff.figures()).toEqual({ asked: 2, waiting: 0, running: 0, done: 0, failed: 3 });
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
        cellOf(source).stop("normal");
        await quiet();
        expect(staff.figures()).toMatchObject({ running: 2 });
        work.end(1);
        work.end(2);
        await quiet();
        expect(staff.figures()).toEqual({ asked: 0, waiting: 0, running: 0, done: 2, failed: 0 });
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
        cellOf(source).kill({ crash: "source" });
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
        await drain(staff.app);
        expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      },
      { seeds: 50 },
    );
  });
});
