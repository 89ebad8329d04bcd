import { invalidOption } from "../support/internal.ts";
import { currentSystem, thread } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";

/**
 * Waits `ms` in Runtime time. The default signal is that of the process whose callback calls it; after an `await`, pass
 * it. Rejects with the signal's reason when that aborts.
 * @throws SLUICE_INVALID_OPTION
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (typeof ms !== "number" || !(ms >= 0))
    return Promise.reject(invalidOption("sleep: ms", ms, "milliseconds, 0 or more"));
  const system = currentSystem();
  const until = signal ?? (thread.running as Cell | undefined)?.signal;
  return new Promise((resolve, reject) => {
    if (until?.aborted === true) return reject(until.reason);
    const abort = (): void => {
      system.cancel(timer);
      reject(until?.reason);
    };
    const timer = system.after(ms, () => {
      until?.removeEventListener("abort", abort);
      resolve();
    });
    until?.addEventListener("abort", abort, { once: true });
  });
}
