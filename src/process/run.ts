import { isOrderly, type ExitReason } from "../support/internal.ts";
import { currentSystem, type Slot, type System } from "../runtime/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import { drain } from "./drain.ts";
import { gone, stopCell } from "./start.ts";
import {
  startSupervisor,
  type Children,
  type RunningSupervisor,
  type SupervisorOptions,
} from "./supervisor.ts";

/** How a program is run. */
export interface RunOptions<C extends Children> {
  /** Runs once when all children are up and their subscriptions are made; a rejection stops the tree and rejects `run`. */
  readonly ready?: (app: RunningSupervisor<C>) => void | Promise<void>;
  /** Ms from the first signal to the kill of what is left; default 30,000. */
  readonly drainTimeoutMs?: number;
}

/** Who wants to hear that the program is asked to end. */
export const interrupts: Slot<Set<() => void>> = {
  key: "process.interrupts",
  create: () => new Set(),
};

const defaultDrainTimeoutMs = 30_000;
/** Longer than any program waits between two looks. */
const holdMs = 2 ** 30;

/** Keeps the program alive while nothing but this tree is left. */
function hold(system: System): Disposable {
  let entry = system.after(holdMs, again);
  function again(): void {
    entry = system.after(holdMs, again);
  }
  return { [Symbol.dispose]: () => system.cancel(entry) };
}

/** Hears the host's signals and the rejections that nobody handles. */
function listen(system: System, interrupt: () => void): Disposable {
  const listeners = system.get(interrupts);
  listeners.add(interrupt);
  const host = system.runtime.simulated ? undefined : globalThis.process;
  const report = (error: unknown): void =>
    log("error", "a promise that nobody waits for was rejected", error);
  host?.on?.("SIGINT", interrupt).on("SIGTERM", interrupt).on("unhandledRejection", report);
  return {
    [Symbol.dispose](): void {
      listeners.delete(interrupt);
      host?.off?.("SIGINT", interrupt).off("SIGTERM", interrupt).off("unhandledRejection", report);
    },
  };
}

/** Ends a tree in order: drains it, then stops it, and kills what is left after `timeoutMs` in all. */
export async function drainAndStop(cell: Cell, timeoutMs: number): Promise<void> {
  const { system } = cell;
  const deadline = system.runtime.now() + timeoutMs;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = system.after(timeoutMs, resolve);
  await Promise.race([drain(cell), late, gone(cell)]);
  system.cancel(timer);
  await stopCell(cell, "shutdown", Math.max(deadline - system.runtime.now(), 0));
}

/**
 * Starts a tree as the program and resolves with its reason when it has ended. SIGINT and SIGTERM drain it, a second one
 * forces; a crash sets the exit code to 1; an idle tree keeps the program alive.
 *
 * Draining: sources close, each process finishes what waits in it, then the tree stops in reverse order, all within
 * `drainTimeoutMs`. Promises that the program left floating and that are rejected are logged.
 * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections
 */
export async function run<const C extends Children>(
  tree: SupervisorOptions<C>,
  options: RunOptions<C> = {},
): Promise<ExitReason> {
  const system = currentSystem();
  const { ready, drainTimeoutMs = defaultDrainTimeoutMs } = options;
  let cell: Cell | undefined;
  let asked = 0;
  const interrupt = (): void => {
    asked++;
    if (asked > 1) {
      cell?.kill("killed");
      if (!system.runtime.simulated) globalThis.process?.exit(130);
    } else if (cell !== undefined) void drainAndStop(cell, drainTimeoutMs);
  };
  using _ears = listen(system, interrupt);
  using _held = hold(system);
  const app = await startSupervisor(tree);
  cell = app["~resolve"]() as Cell;
  const ended = gone(cell);
  if (asked > 0) void drainAndStop(cell, drainTimeoutMs);
  try {
    await ready?.(app);
  } catch (error) {
    setExitCode(system);
    await stopCell(cell, "shutdown", drainTimeoutMs);
    throw error;
  }
  const reason = await ended;
  const gaveUp =
    typeof reason === "object" && "shutdown" in reason && reason.shutdown instanceof Error;
  if (!isOrderly(reason) || gaveUp) setExitCode(system);
  return reason;
}

function setExitCode(system: System): void {
  if (!system.runtime.simulated && globalThis.process !== undefined)
    globalThis.process.exitCode = 1;
}
