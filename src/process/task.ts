import { SluiceError } from "../support/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { abortReason } from "./abort.ts";
import { checkFunction, checkMs } from "./check.ts";
import type { Cell } from "./cell.ts";
import { specOf, type ChildOptions, type ChildSpec } from "./child-spec.ts";
import { workPlan } from "./plan.ts";
import { Process, type Context } from "./process.ts";
import { running } from "./running.ts";
import { gone, spawn } from "./spawn.ts";
import type { Running } from "./target.ts";

/** A process that is one function; it has no messages. */
export class Task extends Process {}

/** A running task whose result is awaited. */
export interface RunningTask<T> extends Running<Task> {
  /** What the function gave; rejects with what it threw, or `SLUICE_EXITED` when it was stopped. */
  readonly result: Promise<T>;
  /**
   * The result, if it comes in time; the task goes on in any case, and may be asked again. Default 5,000 ms.
   * @throws SLUICE_TIMEOUT as a rejection, and what `result` rejects with
   */
  resultWithin(timeoutMs?: number): Promise<T>;
}

/**
 * Describes a function as a child: it runs once, beside its siblings, and its end is an ordinary exit. Default restart
 * `"temporary"`.
 * @throws SLUICE_INVALID_OPTION
 */
export function task(
  work: (context: Context) => unknown,
  options: ChildOptions<Task> = {},
): ChildSpec<Task> {
  checkFunction("task", work);
  const spec = specOf(Task, { restart: "temporary", ...options }, "worker", work.name || "task");
  return {
    ...spec,
    "~plan": workPlan(spec["~plan"], (cell) => work(cell.context)),
  } as ChildSpec<Task>;
}

/**
 * Starts a function as a process that the caller owns; `result` is what it gives.
 *
 * ```ts
 * import { sleep, startTask } from "sluice";
 *
 * await using job = await startTask(async ({ signal }) => {
 *   await sleep(10, signal);
 *   return 42;
 * });
 * console.info(await job.result);
 * ```
 * @throws SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections
 */
export async function startTask<T>(
  work: (context: Context) => T | Promise<T>,
  options: ChildOptions<Task> = {},
): Promise<RunningTask<T>> {
  checkFunction("startTask", work);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  // A result that nobody reads is no floating failure: the exit reason tells of it.
  promise.catch(() => {});
  const { "~plan": plan } = specOf(Task, options, "worker", work.name || "task");
  const begin = async (cell: Cell): Promise<void> => {
    try {
      resolve(await work(cell.context));
    } catch (error) {
      reject(error);
      throw error;
    }
  };
  const cell = await spawn(currentSystem(), workPlan(plan, begin), undefined);
  void gone(cell).then((reason) => reject(abortReason(reason)));
  return Object.defineProperties(running(cell), {
    result: { value: promise },
    resultWithin: { value: (timeoutMs?: number) => within(cell, promise, timeoutMs) },
  }) as unknown as RunningTask<T>;
}

function within<T>({ system, pid }: Cell, result: Promise<T>, timeoutMs = 5_000): Promise<T> {
  return new Promise((resolve, reject) => {
    checkMs("timeoutMs", timeoutMs);
    const timer = system.after(timeoutMs, () =>
      reject(
        new SluiceError("SLUICE_TIMEOUT", `${pid} goes on after ${timeoutMs} ms`, { timeoutMs }),
      ),
    );
    result.then(resolve, reject).finally(() => system.cancel(timer));
  });
}
