import { describe, expect, it } from "vitest";
import { crew, workers } from "../../test/stage/crew.ts";
import { Process, child, name, names, stop, supervisor, type ChildSpec } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import { consumerSupervisor } from "./consumer-supervisor.ts";

/** A child that is up until it is stopped. */
class Session extends Process {
  readonly #event: number;
  constructor(event: number) {
    super();
    this.#event = event;
  }
  event(): number {
    return this.#event;
  }
}

const specs = { restart: "temporary" } as const;

describe("a child of any kind", () => {
  it("CS8, CS38, G106: is the spec that is made for the event: with options, with a name", async () => {
    await simulate(
      async ({ quiet }) => {
        const sessions = names<Session>("session");
        const worker = {
          child: (event: number) =>
            child(Session, { args: [event], name: sessions(String(event)), maxMailbox: 1 }),
        };
        await using staff = await crew(worker, { maxDemand: 2 });
        staff.probe.emit([10, 11, 12]);
        await quiet();
        expect(await sessions("10").call.event()).toBe(10);
        await stop(sessions("11"));
        await quiet();
        expect(sessions("11").whereis()).toBeUndefined();
        expect(await sessions("12").call.event()).toBe(12);
      },
      { seeds: 5 },
    );
  });

  it("may be a supervisor: its end is the end of the event's work", async () => {
    await simulate(
      async ({ quiet, advance }) => {
        const ends: string[] = [];
        class Part extends Process {
          readonly #ms: number;
          constructor(ms: number) {
            super();
            this.#ms = ms;
          }
          protected override init(): void {
            this.self.after(this.#ms, () => this.self.stop());
          }
          protected override terminate(): void {
            ends.push(`${this.#ms}`);
          }
        }
        const part = (ms: number) =>
          child(Part, { args: [ms], restart: "transient", significant: true });
        const worker = {
          child: (ms: number) =>
            supervisor({
              strategy: "one_for_all",
              autoShutdown: "all_significant",
              children: { slow: part(ms), quick: part(ms / 10) },
            }),
        };
        await using staff = await crew(worker, { maxDemand: 1 });
        staff.probe.emit([100, 200]);
        await quiet();
        expect(await workers.call.countChildren()).toMatchObject({ active: 1, supervisors: 1 });
        await advance(50);
        expect(ends).toEqual(["10"]);
        await advance(60);
        expect(ends).toEqual(["10", "100"]);
        await advance(30);
        expect(ends).toEqual(["10", "100", "20"]);
      },
      { seeds: 5 },
    );
  });

  it("G112, CS39: that cannot be made is a start that fails: logged, its slot free again", async () => {
    await simulate(
      async ({ quiet }) => {
        const logged: string[] = [];
        using _log = attach("sluice.log", ({ message }) => logged.push(message));
        const taken = name<Session>("taken");
        const worker = {
          child: (event: number): ChildSpec<Session> => {
            if (event === 1) throw new RangeError("no spec");
            if (event === 2) return 7 as never;
            return child(Session, { args: [event], name: taken });
          },
        };
        await using staff = await crew(worker, { maxDemand: 2 });
        staff.probe.emit([1, 2, 5]);
        await quiet();
        staff.probe.emit([6]);
        await quiet();
        expect(logged.map((message) => message.replaceAll(/#\d+/g, "")).toSorted()).toEqual([
          "child of workers ended: crash: RangeError: no spec",
          "child of workers ended: crash: SluiceError: child: got 7, expected a spec made by child(…), supervisor(…) or the like",
          "child of workers ended: crash: SluiceError: the name taken belongs to taken",
        ]);
        expect(staff.figures()).toMatchObject({ running: 1, failed: 3 });
        await expect(workers.call.startChild(1)).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          details: { reason: { crash: new RangeError("no spec") } },
        });
      },
      { seeds: 5 },
    );
  });

  it("has its options in its own spec, and nowhere else", () => {
    const worker = { child: (event: number) => child(Session, { args: [event] }) };
    for (const option of ["shutdown", "maxMailbox", "maxTasks"])
      expect(() => consumerSupervisor(worker, { ...specs, [option]: 1 })).toThrow(
        expect.objectContaining({
          code: "SLUICE_INVALID_OPTION",
          message: expect.stringContaining(option) as string,
        }),
      );
  });
});
