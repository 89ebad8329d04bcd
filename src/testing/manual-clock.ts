import { realRuntime, type Alarm, type Runtime } from "../runtime/internal.ts";
import type { Clock } from "../process/index.ts";
import { checkMs } from "../process/internal.ts";
import { Alarms } from "./alarms.ts";

/** Time that a test moves by hand, for `withSystem`. */
export interface ManualClock extends Clock {
  /** Ms since the clock was made. */
  readonly nowMs: number;
  /**
   * Lets so much time pass. What is due on the way rings in its order, each when all that came of the one before is done.
   * @throws SLUICE_INVALID_OPTION as a rejection
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Resolves when all is done that can be done at this time. */
  readonly quiet: () => Promise<void>;
}

/** Looks at a clock that stands still before the host has a turn: some million messages, where no test comes to rest. */
const mostLooks = 20_000;
const epochMs = Date.UTC(2020, 0, 1);
const macrotask = globalThis.setImmediate;
const settle = (): Promise<void> => new Promise((resolve) => macrotask(resolve));

/** Real scheduling and chance, time by hand. */
class ManualRuntime implements Runtime {
  readonly simulated = false;
  readonly alarms: Alarms = new Alarms();
  readonly #real = realRuntime();
  #looks = 0;

  now(): number {
    if (++this.#looks > mostLooks)
      throw new Error("time stands still and the processes never come to rest");
    return this.alarms.nowMs;
  }

  wallNow(): number {
    return epochMs + this.alarms.nowMs;
  }

  random(): number {
    return this.#real.random();
  }

  soon(run: () => void): void {
    this.#real.soon(run);
  }

  turn(run: () => void): void {
    this.#real.turn(() => {
      this.#looks = 0;
      run();
    });
  }

  alarm(ms: number, ring: () => void): Alarm {
    return this.alarms.set(ms, ring);
  }
}

/**
 * A clock that stands still until the test moves it, for tests with real scheduling and real I/O: `sleep`, timers,
 * timeouts, restart windows and stamps go by it. The host's own timers and `Date` do not; under `simulate` they do.
 *
 * ```ts
 * import { sleep, startTask, withSystem } from "sluice";
 * import { manualClock } from "sluice/testing";
 *
 * const clock = manualClock();
 * await withSystem(async () => {
 *   await using job = await startTask(() => sleep(60_000));
 *   await clock.advance(60_000);
 *   await job.result;
 *   console.info(clock.nowMs);
 * }, { clock });
 * ```
 */
export function manualClock(): ManualClock {
  const runtime = new ManualRuntime();
  const { alarms } = runtime;
  const quiet = async (): Promise<void> => {
    // What runs in turns of its own has had two.
    for (let turn = 0; turn < 2; turn++) await settle();
  };
  return {
    "~runtime": runtime,
    get nowMs() {
      return alarms.nowMs;
    },
    quiet,
    async advance(ms) {
      checkMs("advance: ms", ms, false);
      const until = alarms.nowMs + ms;
      do await quiet();
      while (alarms.ring(until));
      alarms.nowMs = until;
    },
  };
}
