import { SluiceError } from "../support/internal.ts";
import { System, thread, type Runtime } from "../runtime/internal.ts";
import { checkFunction } from "./check.ts";
import { processes } from "./process-table.ts";

let last: Promise<unknown> = Promise.resolve();

/** Systems replace the default of the thread one after the other. */
export function systemTurn<T>(body: () => Promise<T>): Promise<T> {
  const mine = last.then(body);
  last = mine.catch(() => {});
  return mine;
}

/** What a system still holds. */
export function leftBehind(system: System): SluiceError<"SLUICE_LEFT_BEHIND"> | undefined {
  const table = system.get(processes);
  const found = [...table].map(({ pid }) => pid);
  const timers = system.wheel.size;
  const names = [...table.names.keys()];
  if (found.length === 0 && timers === 0 && names.length === 0) return undefined;
  const message = `left behind: processes ${found.join(", ") || "none"}; timers ${timers}; names ${names.join(", ") || "none"}`;
  return new SluiceError("SLUICE_LEFT_BEHIND", message, { processes: found, timers, names });
}

/** Where a system has its time from: `manualClock` of `sluice/testing` makes one. */
export interface Clock {
  /** The runtime's own. */
  readonly "~runtime": object;
}

/** What a system is made with. */
export interface SystemOptions {
  /** Default: real time. A clock is for one system. */
  readonly clock?: Clock;
}

/**
 * Runs `body` with a fresh default system, for tests: real time unless a clock is given, a world of its own. Calls in one thread run one after
 * the other, so one inside of another never begins. What is left behind is killed.
 *
 * ```ts
 * import { Process, start, withSystem } from "sluice";
 *
 * class Echo extends Process {
 *   say(text: string): string {
 *     return text;
 *   }
 * }
 * await withSystem(async () => {
 *   await using echo = await start(Echo);
 *   console.info(await echo.call.say("hello"));
 * });
 * ```
 * @throws SLUICE_LEFT_BEHIND as a rejection when it leaves a process, timer or name
 */
export function withSystem<T>(
  body: (system: System) => T | Promise<T>,
  { clock }: SystemOptions = {},
): Promise<T> {
  return systemTurn(async () => {
    checkFunction("body", body);
    const system = new System(clock?.["~runtime"] as Runtime | undefined);
    const before = thread.system;
    thread.system = system;
    try {
      const result = await body(system);
      const left = leftBehind(system);
      if (left !== undefined) throw left;
      return result;
    } finally {
      thread.system = before;
      for (const cell of system.get(processes)) cell.kill("killed");
    }
  });
}
