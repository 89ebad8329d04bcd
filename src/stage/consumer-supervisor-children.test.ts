import { describe, expect, it } from "vitest";
import { Work, crew, workers } from "../../test/stage/crew.ts";
import { quietly } from "../../test/stage/probing.ts";
import {
  Process,
  info,
  refOf,
  sleep,
  startSupervisor,
  startTask,
  type Ref,
} from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import { consumerSupervisor, type TaskContext } from "./consumer-supervisor.ts";

/** A child that is up until it is stopped, unless its event says otherwise. */
class Session extends Process {
  readonly #event: number;
  constructor(event: number) {
    super();
    this.#event = event;
    if (event === 1) throw new RangeError("constructor");
  }
  protected override init(): void | Promise<void> {
    if (this.#event === 2) return Promise.reject(new RangeError("init"));
    if (this.#event === 3) this.self.stop({ shutdown: "enough" });
    if (this.#event === 4) this.self.stop();
    return undefined;
  }
  event(): number {
    return this.#event;
  }
}

const specs = { restart: "temporary" } as const;

describe("startChild", () => {
  it("CS13, G115: starts a child outside any demand, beyond the window, and replies with its ref", async () => {
    await simulate(
      async ({ quiet }) => {
        const work = new Work();
        await using staff = await crew(work.run, { maxDemand: 1 });
        staff.probe.emit([1, 2]);
        await quiet();
        const ref = await workers.call.startChild(10);
        expect(ref.pid).toMatch(/^run#\d+$/);
        expect(work.begun).toEqual([1, 10]);
        work.end(10);
        await quiet();
        expect(work.begun).toEqual([1, 10]);
        work.end(1);
        await quiet();
        expect(work.begun).toEqual([1, 10, 2]);
        work.end(2);
        await quiet();
        expect(staff.probe.asks).toEqual([1, 1]);
      },
      { seeds: 10 },
    );
  });

  it("CS13: the ref of a process answers", async () => {
    await simulate(
      async () => {
        await using _staff = await crew(Session, { maxDemand: 1 });
        const ref = (await workers.call.startChild(7)) as Ref<Session>;
        expect(await ref.call.event()).toBe(7);
      },
      { seeds: 5 },
    );
  });

  it.each([
    [1, { crash: new RangeError("constructor") }],
    [2, { crash: new RangeError("init") }],
  ])(
    "CS14, CS39: event %i: a start that fails is told to whoever asked, and no harm to others",
    async (event, reason) => {
      await simulate(
        async ({ quiet }) => {
          const logged: string[] = [];
          using _log = attach("sluice.log", ({ message }) => logged.push(message));
          await using staff = await crew(Session, { maxDemand: 2 }, { restart: "transient" });
          await expect(workers.call.startChild(event)).rejects.toMatchObject({
            code: "SLUICE_START_FAILED",
            details: { reason },
          });
          await quiet();
          expect(logged).toEqual([]);
          expect(await workers.call.countChildren()).toMatchObject({ specs: 0, restarts: 0 });
          // By demand there is nobody to tell: it is logged, and the slot is free again.
          staff.probe.emit([event]);
          await quiet();
          expect(workers.whereis()).toBeDefined();
        },
        { seeds: 5 },
      );
    },
  );

  it.each([3, 4])(
    "CS14: event %i: one that stops while it starts was up, and is gone",
    async (event) => {
      await simulate(
        async ({ quiet }) => {
          await using staff = await crew(Session, { maxDemand: 1 }, { restart: "transient" });
          const ref = await workers.call.startChild(event);
          await quiet();
          expect(await workers.call.whichChildren()).toEqual([]);
          expect(ref.pid).toMatch(/^Session#/);
          expect(staff.figures()).toMatchObject({ running: 0, done: 1, failed: 0 });
        },
        { seeds: 5 },
      );
    },
  );

  it("afterwards it is a child like any other: a crash is tried again with the same event", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const tries: [event: number, attempt: number][] = [];
        const work = (event: number, { attempt }: TaskContext): void => {
          tries.push([event, attempt]);
          if (attempt < 3) throw new RangeError("again");
        };
        await using _staff = await crew(work, { maxDemand: 1 }, { restart: "transient" });
        await workers.call.startChild(5);
        await quiet();
        expect(tries).toEqual([
          [5, 1],
          [5, 2],
          [5, 3],
        ]);
      },
      { seeds: 5 },
    );
  });
});

describe("terminateChild", () => {
  it.each(["ref", "pid"] as const)(
    "CS29, G116: by %s gives the child its time, then it is none, and its slot is free",
    async (by) => {
      await simulate(
        async ({ quiet }) => {
          const ends: string[] = [];
          const work = async (event: number, { signal }: TaskContext): Promise<void> => {
            try {
              await sleep(1e6, signal);
            } finally {
              await sleep(50);
              ends.push(`${event} cleaned up`);
            }
          };
          await using staff = await crew(work, { maxDemand: 1 }, { shutdown: 100 });
          staff.probe.emit([1, 2]);
          await quiet();
          const [first] = await workers.call.whichChildren();
          expect(first).toMatchObject({ event: 1, state: "running", restarts: 0 });
          const target = by === "ref" ? first!.ref : first!.pid!;
          await workers.call.terminateChild(target);
          expect(ends).toEqual(["1 cleaned up"]);
          await quiet();
          const [second] = await workers.call.whichChildren();
          expect(second).toMatchObject({ event: 2 });
          // One that has ended is none any more.
          await workers.call.terminateChild(target);
          expect(await workers.call.countChildren()).toMatchObject({ active: 1 });
        },
        { seeds: 5 },
      );
    },
  );

  it("CS28: kills at once where `shutdown` says so, and what is transient is not tried again", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        let begun = 0;
        const work = (): Promise<void> => {
          begun++;
          return sleep(1e6);
        };
        const options = { restart: "transient", shutdown: "kill" } as const;
        await using staff = await crew(work, { maxDemand: 1 }, options);
        staff.probe.emit([1]);
        await quiet();
        const [first] = await workers.call.whichChildren();
        await workers.call.terminateChild(first!.ref);
        await advance(1);
        expect(await workers.call.whichChildren()).toEqual([]);
        expect(begun).toBe(1);
      },
      { seeds: 5 },
    );
  });

  it("CS30: takes back the restart of one that waits for it, and frees its slot", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const begun: number[] = [];
        const work = (event: number): void => {
          begun.push(event);
          if (event < 3) throw new RangeError("no");
        };
        const options = { restart: "transient", restartDelayMs: 1_000 } as const;
        await using staff = await crew(work, { maxDemand: 2 }, options);
        staff.probe.emit([1, 2, 3]);
        await quiet();
        const waiting = await workers.call.whichChildren();
        expect(new Set(waiting.map(({ event }) => event))).toEqual(new Set([1, 2]));
        for (const { ref, pid } of waiting) {
          expect(pid).toBeUndefined();
          await workers.call.terminateChild(ref);
          // By its pid too; twice is nothing.
          await workers.call.terminateChild(ref.pid);
        }
        await advance(2_000);
        expect(begun.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
        expect(staff.figures()).toMatchObject({ asked: 2, running: 0, done: 1, failed: 2 });
      },
      { seeds: 5 },
    );
  });

  it("of another's child is refused", async () => {
    await simulate(
      async () => {
        await using _staff = await crew(() => {}, { maxDemand: 1 });
        await using other = await startTask(({ signal }) => sleep(1e6, signal));
        await expect(workers.call.terminateChild(other)).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "target" },
        });
        await expect(workers.call.terminateChild(7 as never)).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
        });
        expect(workers.whereis()).toBeDefined();
      },
      { seeds: 2 },
    );
  });
});

describe("whichChildren and countChildren", () => {
  it("G117, CS17: tell who runs, on what, and who waits for a restart", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        using _silent = quietly();
        const work = async (event: number): Promise<void> => {
          if (event === 2) throw new RangeError("two");
          await sleep(1e6);
        };
        const options = { restart: "transient", restartDelayMs: 1_000, shutdown: "kill" } as const;
        await using staff = await crew(work, { maxDemand: 2 }, options);
        staff.probe.emit([1, 2]);
        await quiet();
        await advance(400);
        expect(await workers.call.whichChildren()).toEqual([
          expect.objectContaining({
            id: "work",
            event: 1,
            pid: expect.stringMatching(/^work#/) as string,
            state: "running",
            restarts: 0,
            restartInMs: undefined,
            type: "worker",
            mailbox: 0,
          }),
          expect.objectContaining({
            event: 2,
            pid: undefined,
            state: "restarting",
            restarts: 0,
            restartInMs: 600,
          }),
        ]);
        const counts = { specs: 2, active: 1, supervisors: 0, workers: 2, restarts: 1 };
        expect(await workers.call.countChildren()).toEqual(counts);
        await advance(1_100);
        expect(await workers.call.countChildren()).toEqual({ ...counts, restarts: 2 });
      },
      { seeds: 5 },
    );
  });
});

describe("what else is sent to a ConsumerSupervisor", () => {
  it("G121: an info is logged and let go", async () => {
    await simulate(
      async ({ quiet }) => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        await using staff = await crew(() => {}, { maxDemand: 1 });
        info(workers, "hello");
        staff.probe.emit([1]);
        await quiet();
        expect(logged).toEqual([expect.stringMatching(/^workers#\d+ got an info/)]);
        expect(staff.figures()).toMatchObject({ done: 1 });
      },
      { seeds: 5 },
    );
  });

  it("its children may hold its ref: none of its messages waits for them", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        const started: string[] = [];
        class Fork extends Process {
          readonly #event: number;
          constructor(event: number) {
            super();
            this.#event = event;
          }
          protected override async init(): Promise<void> {
            started.push(`${this.#event}`);
            if (this.#event > 0) await workers.call.startChild(this.#event - 1);
            const ref = refOf(this);
            this.self.after(1, () => workers.cast.terminateChild(ref));
          }
        }
        await using staff = await crew(Fork, { maxDemand: 1 });
        staff.probe.emit([3]);
        await advance(10);
        await quiet();
        expect(started).toEqual(["3", "2", "1", "0"]);
        expect(staff.figures()).toMatchObject({ running: 0, done: 4, failed: 0 });
      },
      { seeds: 20 },
    );
  });
});

it("G109: is a child like any other, in whatever tree", async () => {
  await simulate(
    async () => {
      const done: number[] = [];
      const spec = consumerSupervisor((event: number) => void done.push(event), specs);
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { crew: spec },
      });
      await app.children.crew.call.startChild(1);
      expect(done).toEqual([1]);
    },
    { seeds: 2 },
  );
});
