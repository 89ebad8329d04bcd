import { checkInteger, invalidOption } from "../support/internal.ts";
import { checkFunction, checkKnown, systemTurn } from "../process/internal.ts";
import { explain } from "./explain.ts";
import { parseReplay, type Script } from "./schedule.ts";
import { SimulationRun, type Failure } from "./simulation-run.ts";
import { Tally, type SimulationReport } from "./tally.ts";

/** What goes wrong on purpose: probabilities per message. */
export interface Faults {
  /**
   * A process that has a supervisor crashes instead of handling a message, which is lost, or, if it is one function,
   * instead of beginning or going on with it; from 0 to 1.
   */
  readonly crash?: number;
  /** A process holds its mailbox, up to `maxMs` of virtual time. */
  readonly slow?: { readonly probability: number; readonly maxMs: number };
  /**
   * The wall clock (`Date`, `wallNow`) is set wrong by up to so many ms, forward or back, before one step in twenty. Time
   * that is measured or waited for (`performance.now`, `sleep`, timers, timeouts) goes on unmoved, as on a real machine.
   */
  readonly clockJumpMs?: number;
}

/** One run of a program under virtual time. Its members are functions that may be taken out of it. */
export interface Simulation {
  /** What this run follows from. */
  readonly seed: number;
  /** Chance that follows from the seed, from 0 to 1. */
  readonly random: () => number;
  /** Lets virtual time pass. In a run that has failed it rejects, and so does `quiet`: a program ends what it holds. */
  readonly advance: (ms: number) => Promise<void>;
  /** Resolves when nothing can run before the next timer. */
  readonly quiet: () => Promise<void>;
  /**
   * Imports a module that is a program, `load(() => import("./program.ts"))`, and resolves when it has been evaluated, as
   * a program that waits for `run` is when its tree has ended. Nothing else happens until its first process is there.
   */
  readonly load: (program: () => Promise<unknown>) => Promise<void>;
  /** Asks the program to end, as SIGTERM does. */
  readonly interrupt: () => void;
  /** No faults from now on: lets a program come to rest. */
  readonly calm: () => void;
  /** Holds after every step, beside the built-in invariants. */
  readonly always: (invariant: string, holds: () => boolean) => void;
}

/** How to simulate. */
export interface SimulateOptions {
  /** How many, from 1; or exactly these, to replay a failure: a seed, or the text that a failure said to replay. */
  readonly seeds: number | readonly (number | string)[];
  /** What goes wrong on purpose; default nothing. With faults the log stands in the trace of a failure, not on the console. */
  readonly faults?: Faults;
  /** Steps of one run at most, beyond which it counts as stuck; default 1,000,000. */
  readonly maxSteps?: number;
  /**
   * Runs at most in which a failure is made smaller: fewer faults, fewer processes that overtake others. Default 200, and
   * for no longer than two seconds of real time; 0 takes the failure as it comes.
   */
  readonly maxShrinks?: number;
}

const known: ReadonlySet<string> = new Set(["seeds", "faults", "maxSteps", "maxShrinks"]);
const knownFaults: ReadonlySet<string> = new Set(["crash", "slow", "clockJumpMs"]);

/** @throws SLUICE_INVALID_OPTION */
function check(program: unknown, options: SimulateOptions): void {
  checkFunction("simulate: program", program);
  checkKnown("simulate", options ?? {}, known);
  const { seeds, faults = {}, maxSteps = 1, maxShrinks = 0 } = options ?? {};
  if (!Array.isArray(seeds)) checkInteger("seeds", seeds, 1);
  checkKnown("faults", faults, knownFaults);
  checkInteger("maxSteps", maxSteps, 1);
  checkInteger("maxShrinks", maxShrinks, 0);
  const { crash = 0, slow, clockJumpMs = 0 } = faults;
  checkWithin("faults.crash", crash, 1);
  checkWithin("faults.clockJumpMs", clockJumpMs, Number.MAX_SAFE_INTEGER);
  if (slow === undefined) return;
  checkWithin("faults.slow.probability", slow.probability, 1);
  checkWithin("faults.slow.maxMs", slow.maxMs, Number.MAX_SAFE_INTEGER);
}

function checkWithin(option: string, value: unknown, most: number): void {
  if (typeof value === "number" && value >= 0 && value <= most) return;
  throw invalidOption(option, value, `a number from 0 to ${most}`);
}

/**
 * Runs a program once per seed, in a system of its own, under virtual time: the seed chooses which process runs next and
 * what fails, so that a failure is replayed by its seed. Time passes when nothing else can happen; the host's timers,
 * clocks and chance are virtual meanwhile; endpoints are reached in memory; other real I/O has no place in it.
 *
 * After every step it checks that no stage gets more than it asked for, that no process begins a callback while another
 * of it has not ended, and what the program says with `always`; whenever nothing can run, that no events were lost between
 * stages; at the end, that no process, timer or name is left. A failure is made smaller before it is
 * told: as few faults and as little out of the usual order as it takes. The order of messages between two processes is
 * never touched.
 *
 * The report tells what happened in all: a program that does the same whatever the seed proves no more than one run.
 *
 * ```ts
 * import { child, consumer, from, name, startSupervisor, type Producer } from "sluice";
 * import { simulate } from "sluice/testing";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const report = await simulate(async ({ quiet }) => {
 *   let sum = 0;
 *   const add = consumer((events: readonly number[]) => events.forEach((n) => (sum += n)));
 *   await using app = await startSupervisor({
 *     strategy: "rest_for_one",
 *     children: {
 *       numbers: child(from(() => [1, 2, 3]), { name: numbers, restart: "transient" }),
 *       add: child(add, { restart: "transient", subscribeTo: [{ to: numbers, cancel: "temporary" }] }),
 *     },
 *   });
 *   await quiet();
 *   if (sum !== 6) throw new Error(`the sum is ${sum} in ${app.pid}`);
 * }, { seeds: 20 });
 * console.info(report.summary);
 * ```
 * @throws SLUICE_SIMULATION_FAILED as a rejection, with the seed, what to replay, and what happened
 * @throws SLUICE_INVALID_OPTION as a rejection
 */
export async function simulate(
  program: (simulation: Simulation) => void | Promise<void>,
  options: SimulateOptions,
): Promise<SimulationReport> {
  check(program, options);
  const { seeds } = options;
  const list =
    typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index + 1) : seeds;
  const tally = new Tally();
  const once = (run: SimulationRun): Promise<Failure | undefined> =>
    systemTurn(() => run.program(program));
  for (const one of list) {
    const { seed, script } =
      typeof one === "string" ? parseReplay(one) : { seed: one, script: undefined };
    const runOf = (given?: Script): SimulationRun => new SimulationRun(seed, options, given);
    const run = runOf(script);
    const failure = await once(run);
    if (failure !== undefined)
      throw await explain(seed, failure, (given) => once(runOf(given)), options.maxShrinks);
    tally.add(run);
  }
  return tally.report();
}
