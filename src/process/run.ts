import { SluiceError, isOrderly, type ExitReason } from "../support/internal.ts";
import { currentSystem, type Slot, type System } from "../runtime/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import { checkKnown, checkMs } from "./check.ts";
import { drainAndStop } from "./drain-rounds.ts";
import { gone, killTree, stopCell } from "./spawn.ts";
import {
  beginSupervisor,
  type Children,
  type RunningSupervisor,
  type SupervisorOptions,
} from "./supervisor.ts";

/** How a program is run. */
export interface RunOptions<C extends Children> {
  /**
   * Runs once when all children are up and their subscriptions are made; a rejection stops the tree and rejects `run`.
   * The end of the tree does not wait for it.
   */
  readonly ready?: (app: RunningSupervisor<C>) => void | Promise<void>;
  /** Ms from the first signal to the kill of what is left; default 30,000. */
  readonly drainTimeoutMs?: number;
}

const known: ReadonlySet<string> = new Set(["ready", "drainTimeoutMs"]);

/** Who wants to hear that the program is asked to end. */
export const interrupts: Slot<Set<() => void>> = {
  key: "process.interrupts",
  create: () => new Set(),
};

/** What a shell reports of a program that was interrupted. */
const forcedExitCode = 130;

/** The host's process; nothing in a browser and in a simulation. */
function hostOf(system: System): typeof globalThis.process | undefined {
  return system.runtime.simulated ? undefined : globalThis.process;
}

/** Keeps the program alive while nothing but this tree is left. */
function hold(system: System): Disposable | undefined {
  if (hostOf(system) === undefined) return undefined;
  // Longer than any program waits between two looks.
  const again = (): void => void (entry = system.after(2 ** 30, again));
  let entry = system.after(2 ** 30, again);
  return { [Symbol.dispose]: () => system.cancel(entry) };
}

/** Hears the host's signals and the rejections that nobody handles. */
function listen(system: System, interrupt: () => void): Disposable {
  const listeners = system.get(interrupts);
  const host = hostOf(system);
  const report = (error: unknown): void =>
    log("error", "a promise that nobody waits for was rejected", error);
  listeners.add(interrupt);
  host?.on?.("SIGINT", interrupt).on("SIGTERM", interrupt).on("unhandledRejection", report);
  return {
    [Symbol.dispose](): void {
      listeners.delete(interrupt);
      host?.off?.("SIGINT", interrupt).off("SIGTERM", interrupt).off("unhandledRejection", report);
    },
  };
}

/** An end that the program's caller should know of by its exit code: a crash, a kill, a supervisor that gave up. */
function isFailure(reason: ExitReason): boolean {
  const gaveUp =
    typeof reason === "object" &&
    "shutdown" in reason &&
    SluiceError.is(reason.shutdown, "SLUICE_RESTART_INTENSITY");
  return gaveUp || !isOrderly(reason);
}

/** Was there nobody to answer? */
function isGone(error: unknown): boolean {
  return SluiceError.is(error, "SLUICE_EXITED") || SluiceError.is(error, "SLUICE_NO_PROCESS");
}

function failProgram(system: System): void {
  const host = hostOf(system);
  if (host !== undefined) host.exitCode = 1;
}

/**
 * Starts a tree as the program and resolves with its reason when it has ended. SIGINT and SIGTERM drain it, a second one
 * forces; a crash, a kill or too many restarts set the exit code to 1; an idle tree keeps the program alive.
 *
 * Draining (`drain`): sources close, each process finishes what it has, what is left after three quarters of
 * `drainTimeoutMs` is logged, one line per process; then the tree stops in reverse order, all within `drainTimeoutMs`. Asked to end before it is up, the tree stops as far as it has come. Promises that the program left
 * floating and that are rejected are logged.
 *
 * ```ts
 * import { Process, child, run } from "sluice";
 *
 * class Greeter extends Process {
 *   greet(who: string): void {
 *     console.info(`hello ${who}`);
 *     this.self.stop("shutdown");
 *   }
 * }
 * const greeter = child(Greeter, { restart: "transient", significant: true });
 * await run(
 *   { strategy: "one_for_one", autoShutdown: "any_significant", children: { greeter } },
 *   { ready: (app) => app.children.greeter.cast.greet("world") },
 * );
 * ```
 * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections, and what `ready` rejects
 *   with; the exit code is 1 then
 */
export async function run<const C extends Children>(
  tree: SupervisorOptions<C>,
  options: RunOptions<C> = {},
): Promise<ExitReason> {
  checkKnown("run", options, known);
  const { ready, drainTimeoutMs = 30_000 } = options;
  checkMs("drainTimeoutMs", drainTimeoutMs);
  const system = currentSystem();
  let root: Cell | undefined;
  let asked = 0;
  const interrupt = (): void => {
    asked++;
    if (root === undefined) return;
    if (asked === 1) return void drainAndStop(root, drainTimeoutMs);
    killTree(root);
    hostOf(system)?.exit(forcedExitCode);
  };
  using _ears = listen(system, interrupt);
  using _held = hold(system);
  try {
    const app = await beginSupervisor(tree, (begun) => (root = begun));
    const ended = gone(root!);
    await Promise.race([(async () => ready?.(app))(), ended]);
    const reason = await ended;
    if (isFailure(reason)) failProgram(system);
    return reason;
  } catch (error) {
    // It was ending by itself, and `ready` waited for what ended with it.
    const over = root?.closed === true && isGone(error);
    const reason =
      root === undefined ? undefined : await stopCell(root, "shutdown", drainTimeoutMs);
    // Asked to end while it started, it has done so.
    if (asked > 0 && reason === "shutdown") return reason;
    if (over && reason !== undefined && !isFailure(reason)) return reason;
    failProgram(system);
    throw error;
  }
}
