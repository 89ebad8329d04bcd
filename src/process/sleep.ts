import { currentSystem, thread } from "../runtime/internal.ts";
import { checkMs } from "./check.ts";

/**
 * Waits `ms` in Runtime time; `Infinity` waits for the signal alone. The default signal is that of the process whose
 * callback calls it, in `terminate` its deadline, in a task the task's; after an `await`, pass it. Rejects with the
 * signal's reason when that aborts.
 * @throws SLUICE_INVALID_OPTION as a rejection
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const until = signal ?? thread.running?.scopeSignal;
  return new Promise((resolve, reject) => {
    checkMs("sleep: ms", ms);
    until?.throwIfAborted();
    const system = currentSystem();
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
