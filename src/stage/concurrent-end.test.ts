import { describe, expect, it } from "vitest";
import { describeReason, type ExitReason } from "../support/internal.ts";
import { currentSystem } from "../runtime/index.ts";
import { sleep, start, startSupervisor, child, name } from "../process/index.ts";
import { processes } from "../process/internal.ts";
import { probeProducer, simulate, type ProducerProbe } from "../testing/index.ts";
import { Jobs } from "../../test/stage/jobs.ts";
import { quietly, range } from "../../test/stage/probing.ts";
import { Consumer } from "./consumer.ts";
import type { Producer } from "./producer.ts";
import { forEach } from "./shorthands.ts";
import { topology } from "./topology.ts";

const seeds = 10;
const zombies = (): number => currentSystem().get(processes).zombies;
const nowMs = (): number => currentSystem().runtime.now();
const boom = new Error("boom");

interface Flight extends AsyncDisposable {
  readonly source: ProducerProbe<number>;
  readonly jobs: Jobs;
  readonly stage: Awaited<ReturnType<typeof startJobs>>;
}

function startJobs(jobs: Jobs, producer: object, isDeaf: boolean, shutdown: number) {
  return start(jobs.consumer(isDeaf), {
    concurrency: 4,
    shutdown,
    subscribeTo: [{ to: producer as never, maxDemand: 10, cancel: "temporary" }],
  });
}

/** A consumer with four calls in flight, and two events that wait. */
async function flight(isDeaf = false, shutdown = 1_000): Promise<Flight> {
  const source = probeProducer<number>();
  const jobs = new Jobs();
  const producer = await start(source.stage);
  const stage = await startJobs(jobs, producer, isDeaf, shutdown);
  source.emit(range(6));
  await sleep(1);
  expect(jobs.open).toEqual([0, 1, 2, 3]);
  return { source, jobs, stage, [Symbol.asyncDispose]: () => producer.stop("shutdown") };
}

describe("work in flight, when the stage stops", () => {
  it("E19: is aborted, each call by its own signal; what heeds it is no crash, and nothing begins any more", () =>
    simulate(
      async () => {
        await using it = await flight();
        await it.stage.stop("shutdown");
        expect(await it.stage.exited).toBe("shutdown");
        expect(it.jobs.aborted.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
        expect([it.jobs.begun.length, it.jobs.ended, nowMs(), zombies()]).toEqual([4, [], 1, 0]);
      },
      { seeds },
    ));

  it("E19: is waited for up to `shutdown`, and counted as done when it ends in time", () =>
    simulate(
      async ({ advance }) => {
        await using it = await flight(true);
        const stopped = it.stage.stop("shutdown");
        await advance(500);
        it.jobs.end(0, 1, 2);
        await advance(100);
        it.jobs.end(3);
        await stopped;
        expect([await it.stage.exited, nowMs(), zombies()]).toEqual(["shutdown", 601, 0]);
        expect(it.jobs.ended).toEqual([0, 1, 2, 3]);
      },
      { seeds },
    ));

  it("E19, R27: is killed with it after `shutdown`; each call that runs on is a zombie until it ends", () =>
    simulate(
      async ({ advance }) => {
        await using it = await flight(true, 200);
        const stopped = it.stage.stop("shutdown");
        await advance(50);
        it.jobs.end(2);
        await stopped;
        expect([await it.stage.exited, nowMs(), zombies()]).toEqual(["killed", 201, 3]);
        it.jobs.end(0);
        await advance(1);
        expect(zombies()).toBe(2);
        it.jobs.end(1);
        it.jobs.fail(3, boom);
        await advance(1);
        expect(zombies()).toBe(0);
      },
      { seeds },
    ));

  it("terminate runs behind it, never beside it", () =>
    simulate(
      async ({ advance }) => {
        const told: string[] = [];
        class Slow extends Consumer<number> {
          protected override async handleEvents(): Promise<void> {
            await sleep(100, new AbortController().signal);
            told.push("handled");
          }
          protected override terminate(reason: ExitReason): void {
            told.push(`terminates ${describeReason(reason)}`);
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        const stage = await start(Slow, { concurrency: 2, subscribeTo: [producer] });
        source.emit([1, 2, 3]);
        await advance(10);
        await stage.stop("normal");
        expect(told).toEqual(["handled", "handled", "terminates normal"]);
      },
      { seeds },
    ));

  it("an exclusive child is started again when the last zombie has ended", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        const source = probeProducer<number>();
        const jobs = new Jobs();
        const numbers = name<Producer<number>>("numbers");
        const worker = name<Consumer<number>>("worker");
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(source.stage, { name: numbers }),
            work: child(jobs.consumer(true), {
              name: worker,
              concurrency: 2,
              exclusive: true,
              shutdown: 10,
              subscribeTo: [{ to: numbers, cancel: "temporary" }],
            }),
          },
        });
        source.emit([0, 1]);
        await advance(1);
        jobs.fail(0, boom);
        await advance(100);
        expect([worker.whereis(), zombies()]).toEqual([undefined, 1]);
        jobs.end(1);
        await advance(1);
        expect([worker.whereis() === undefined, zombies()]).toEqual([false, 0]);
      },
      { seeds },
    ));
});

describe("work in flight, when one of it fails", () => {
  it("E15: after an await, ends the stage with the reason, once; the rest is aborted", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        await using it = await flight();
        it.jobs.fail(1, boom);
        it.jobs.fail(2, new Error("another"));
        await advance(1);
        expect(await it.stage.exited).toEqual({ crash: boom });
        expect(it.jobs.aborted.toSorted((a, b) => a - b)).toEqual([0, 3]);
        expect([it.jobs.begun.length, zombies()]).toEqual([4, 0]);
      },
      { seeds },
    ));

  it("E15: what does not heed its signal is waited for, and what it gives is ignored", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        await using it = await flight(true, 200);
        it.jobs.fail(1, boom);
        await advance(50);
        it.jobs.end(0, 2);
        await advance(1);
        expect(topology(it.stage).nodes[0]!.figures).toMatchObject({ done: 0 });
        await advance(200);
        expect(await it.stage.exited).toEqual("killed");
        expect(zombies()).toBe(1);
        it.jobs.end(3);
        await advance(1);
        expect(zombies()).toBe(0);
      },
      { seeds },
    ));

  it("E23: a kill loses what is in flight or waits, and no more", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        await using it = await flight(true);
        const { edges } = topology(it.stage);
        expect(edges[0]).toMatchObject({ pending: 10 });
        it.jobs.end(0);
        await advance(1);
        await it.stage.stop("normal", { timeoutMs: 0 });
        expect(await it.stage.exited).toBe("killed");
        // Five began, one of them ended; one more waited.
        expect([it.jobs.begun, it.jobs.ended]).toEqual([range(5), [0]]);
        expect(zombies()).toBe(4);
        it.jobs.end(1, 2, 3, 4);
        await advance(1);
        expect([it.jobs.begun.length, zombies()]).toEqual([5, 0]);
      },
      { seeds },
    ));

  const toss = (value: unknown) => (): never => {
    throw value;
  };
  type Reject = (reason: unknown) => void;
  /** A promise of someone else's, that does as it likes. */
  const alien = (then: (_: unknown, reject: Reject) => void) => () =>
    // oxlint-disable-next-line unicorn/no-thenable -- what is no promise of ours may stand for one
    Object.defineProperty({}, "then", { value: then });
  const hostile: readonly (readonly [string, () => unknown])[] = [
    ["throws an Error", toss(boom)],
    ["throws undefined", toss(undefined)],
    ["throws null", toss(null)],
    ["throws a string", toss("a string")],
    ["throws a frozen object", toss(Object.freeze({}))],
    ["throws what cannot be looked at", toss(unlookable())],
    ["rejects", () => Promise.reject(boom)],
    ["rejects with undefined", () => Promise.reject(undefined)],
    ["rejects with what cannot be looked at", () => Promise.reject(unlookable())],
    [
      "rejects with an AbortError that nobody caused",
      () => Promise.reject(new DOMException("", "AbortError")),
    ],
    ["gives a thenable that throws", alien(toss(boom))],
    [
      "gives a thenable that rejects twice",
      alien((_, reject) => {
        reject(boom);
        reject(boom);
      }),
    ],
  ];
  it.each(hostile)("R10: a call that %s is the end of its stage alone", async (_what, work) => {
    await simulate(
      async ({ advance }) => {
        using _quiet = quietly();
        const source = probeProducer<number>();
        const seen: number[] = [];
        await using producer = await start(source.stage);
        await using _other = await start(
          forEach<number>((event) => void seen.push(event)),
          {
            subscribeTo: [{ to: producer, maxDemand: 1 }],
          },
        );
        const stage = await start(forEach<number>(work as () => Promise<void>), {
          concurrency: 2,
          subscribeTo: [{ to: producer, maxDemand: 4 }],
        });
        let down: ExitReason | undefined;
        void stage.exited.then((reason) => (down = reason));
        source.emit([1]);
        await advance(10);
        expect(typeof down === "object" && "crash" in down).toBe(true);
        source.emit([2]);
        await advance(10);
        expect([seen, topology(producer).nodes.length]).toEqual([[2], 1]);
      },
      { seeds: 3 },
    );
  });
});

function unlookable(): unknown {
  return new Proxy(
    {},
    {
      get: () => {
        throw new Error("do not look");
      },
      getPrototypeOf: () => {
        throw new Error("do not look");
      },
    },
  );
}
