import { describe, expect, it } from "vitest";
import { crew } from "../../test/stage/crew.ts";
import { Process, sleep } from "../process/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import type { ExitReason } from "../support/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import type { ConsumerSupervisorOptions, TaskContext } from "./consumer-supervisor.ts";

interface Stopped {
  /** Of the children, in the order of their ends. */
  readonly reasons: readonly ExitReason[];
  readonly logged: readonly string[];
  readonly tookMs: number;
}

/** Starts three children, stops the supervisor, and tells how that went. */
async function stopped(
  worker:
    | ((event: number, context: TaskContext) => Promise<void>)
    | (new (event: number) => Process),
  shutdown: NonNullable<ConsumerSupervisorOptions<number>["shutdown"]>,
): Promise<Stopped> {
  let result: Stopped | undefined;
  await simulate(
    async ({ quiet, advance }) => {
      const reasons: ExitReason[] = [];
      const logged: string[] = [];
      using _exits = attach("sluice.process.exited", ({ label, reason }) => {
        if (label === "work" || label === "Holder") reasons.push(reason as ExitReason);
      });
      using _log = attach("sluice.log", ({ message }) =>
        logged.push(message.replaceAll(/#\d+/g, "")),
      );
      const staff = await crew(worker, { maxDemand: 3 }, { shutdown });
      staff.probe.emit([1, 2, 3]);
      await quiet();
      const began = currentSystem().runtime.now();
      await staff.app.stop();
      result = { reasons, logged, tookMs: currentSystem().runtime.now() - began };
      // Killed callbacks run on: let them come to their end.
      await advance(2_000);
    },
    { seeds: 5 },
  );
  return result!;
}

/** Needs its time to stop. */
const slow = (ms: number, error?: Error) =>
  async function work(_event: number, { signal }: TaskContext): Promise<void> {
    await sleep(1e6, signal).catch(() => {});
    await sleep(ms);
    if (error !== undefined) throw error;
  };

/** Ends a while after it was told to. */
class Holder extends Process {
  protected override async terminate(): Promise<void> {
    await sleep(200);
  }
}

describe("the stop of a ConsumerSupervisor, all children together (G118)", () => {
  it('CS22: kills those with `shutdown: "kill"` at once, which is no news', async () => {
    const { reasons, logged, tookMs } = await stopped(slow(1_000), "kill");
    expect(reasons).toEqual(["killed", "killed", "killed"]);
    expect(logged).toEqual([]);
    expect(tookMs).toBe(0);
  });

  it("CS23: waits as long as it takes for those with all the time", async () => {
    const { reasons, logged, tookMs } = await stopped(slow(60_000), "infinity");
    expect(reasons).toEqual(["shutdown", "shutdown", "shutdown"]);
    expect([logged, tookMs]).toEqual([[], 60_000]);
  });

  it("CS24: those may still end for a reason of their own, which is reported", async () => {
    const error = new RangeError("while stopping");
    const { reasons, logged } = await stopped(slow(100, error), "infinity");
    expect(reasons).toEqual(Array.from({ length: 3 }, () => ({ crash: error })));
    expect(logged).toEqual(
      Array.from(
        { length: 3 },
        () => "work of workers did not stop in order: crash: RangeError: while stopping",
      ),
    );
  });

  it("CS25: waits for those that end within their time, side by side", async () => {
    const { reasons, logged, tookMs } = await stopped(slow(400), 500);
    expect(reasons).toEqual(["shutdown", "shutdown", "shutdown"]);
    expect([logged, tookMs]).toEqual([[], 400]);
    expect(await stopped(Holder, 500)).toMatchObject({ tookMs: 200, logged: [] });
  });

  it("CS26: those may end for a reason of their own, too", async () => {
    const error = new RangeError("while stopping");
    const { reasons, tookMs } = await stopped(slow(400, error), 500);
    expect(reasons).toEqual(Array.from({ length: 3 }, () => ({ crash: error })));
    expect(tookMs).toBe(400);
  });

  it("CS27: kills those whose time is over, and says so; the others were shut down", async () => {
    const work = async (event: number, context: TaskContext): Promise<void> => {
      await slow(event === 2 ? 1_000 : 100)(event, context);
    };
    const { reasons, logged, tookMs } = await stopped(work, 500);
    expect(reasons).toEqual(["shutdown", "shutdown", "killed"]);
    expect(logged).toEqual(["work of workers did not stop in order: killed"]);
    expect(tookMs).toBe(500);
  });
});
