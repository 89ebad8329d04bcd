import { describe, expect, it } from "vitest";
import { Work, crew, workers } from "../../test/stage/crew.ts";
import { cellOf } from "../../test/stage/probing.ts";
import { Process, child, name, sleep, startSupervisor } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import type { ConsumerSupervisorEngine } from "./consumer-supervisor-engine.ts";
import { consumerSupervisor } from "./consumer-supervisor.ts";
import type { Producer } from "./producer.ts";
import { events as eventsMessage } from "./protocol.ts";
import { topology } from "./topology.ts";

describe("a ConsumerSupervisor", () => {
  it("CS37, G105: runs one child per event", async () => {
    await simulate(
      async ({ quiet }) => {
        const done: number[] = [];
        await using staff = await crew((event) => void done.push(event), { maxDemand: 10 });
        staff.probe.emit([1, 2, 3]);
        await quiet();
        expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
        expect(staff.figures()).toEqual({ asked: 10, waiting: 0, running: 0, done: 3, failed: 0 });
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
              shutdown: "kill",
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
        // Ends in a row are asked for together, each of its own producer.
        one.emit([4]);
        two.emit([14]);
        work.end(1);
        work.end(12);
        await quiet();
        expect(work.sorted).toEqual([1, 2, 11, 12, 13, 14]);
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
        const cell = cellOf(workers);
        const [tag] = (cell.engine as ConsumerSupervisorEngine).inlet.intakes.keys();
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
      },
      { seeds: 5 },
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
