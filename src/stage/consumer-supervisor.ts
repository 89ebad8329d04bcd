import { checkInteger, invalidOption } from "../support/internal.ts";
import { Task, planOf, specOf, workPlan, type Cell, type Plan } from "../process/internal.ts";
import { Process, type ChildOptions, type ChildSpec, type Context } from "../process/index.ts";
import { ConsumerSupervisorProcess, type Work } from "./consumer-supervisor-engine.ts";
import type { Subscriptions } from "./subscription.ts";

/** What a task function is told beside its event. */
export interface TaskContext extends Context {
  /** Which try this is, from 1. */
  readonly attempt: number;
}

/** One event, one task. Returning, or resolving, ends it; throwing is its crash. */
export type TaskFunction<In> = (event: In, context: TaskContext) => unknown;
/** One event, one process, whose constructor takes the event. */
export type EventProcessClass<In> = new (event: In) => Process;

/** Options of a ConsumerSupervisor; `shutdown`, `maxMailbox` and `maxTasks` are those of its children. */
export interface ConsumerSupervisorOptions<In> extends Omit<
  ChildOptions<Process>,
  "restart" | "restartDelayMs" | "exclusive" | "significant"
> {
  /**
   * Its end may end the supervisor above it (`autoShutdown`): with a source that ends, the program ends when the last
   * child has. It is then restarted after a crash only. Default false.
   */
  readonly significant?: boolean;
  /**
   * What a crash of a child means: `"transient"` it is tried again with the same event, `"temporary"` the event is lost
   * and logged. `"permanent"` would never give its slot back.
   */
  readonly restart: "transient" | "temporary";
  /** Restarts within `maxSeconds` at most; one more and the supervisor ends. Default 3. */
  readonly maxRestarts?: number;
  /** The window for `maxRestarts`, in seconds; default 5. */
  readonly maxSeconds?: number;
  /** Whose events; `maxDemand` of each subscription is how many of its children run at once. */
  readonly subscribeTo?: Subscriptions<In>;
}

/** What a supervised function sees of itself. */
class ChildContext implements TaskContext {
  readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get signal(): AbortSignal {
    return this.cell.signal;
  }

  get attempt(): number {
    return (this.cell.note as Work).attempt;
  }

  /** When the event entered the pipeline; for the delivery layer. */
  get "~enteredMs"(): number {
    return (this.cell.note as Work).enteredMs;
  }
}

function isProcessClass<In>(
  worker: TaskFunction<In> | EventProcessClass<In>,
): worker is EventProcessClass<In> {
  return worker.prototype instanceof Process;
}

/** The plan of a child per event. */
function childPlan<In>(worker: TaskFunction<In> | EventProcessClass<In>, options: object): Plan {
  if (isProcessClass(worker)) return planOf(worker, options);
  const plan = planOf(Task, options, worker.name || "task");
  return workPlan(plan, (cell, event) => worker(event as In, new ChildContext(cell)));
}

/**
 * Runs one child per event, as many at once as the subscriptions' `maxDemand` allows; the end of a child makes room for
 * the next. `minDemand` defaults to `maxDemand − 1`: every finished child asks for one more. When a producer ends in
 * order, its events are finished before the subscription's `cancel` mode ends the supervisor; when it crashes, the
 * children are stopped.
 *
 * ```ts
 * import { child, consumerSupervisor, from, name, run, sleep, type Producer } from "sluice";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const work = async (n: number): Promise<void> => {
 *   await sleep(1);
 *   console.info(n);
 * };
 * await run({
 *   strategy: "rest_for_one",
 *   autoShutdown: "any_significant",
 *   children: {
 *     numbers: child(from(() => [1, 2, 3]), { name: numbers, restart: "transient" }),
 *     workers: consumerSupervisor(work, {
 *       restart: "temporary",
 *       significant: true,
 *       subscribeTo: [{ to: numbers, maxDemand: 2 }],
 *     }),
 *   },
 * });
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function consumerSupervisor<In>(
  worker: TaskFunction<In> | EventProcessClass<In>,
  options: ConsumerSupervisorOptions<NoInfer<In>>,
): ChildSpec<Process> {
  const { restart, significant = false, name, subscribeTo, ...others } = options;
  const { maxRestarts = 3, maxSeconds = 5, ...childOptions } = others;
  if (restart !== "transient" && restart !== "temporary") {
    throw invalidOption(
      "restart",
      restart,
      '"transient" or "temporary": a permanent child would never give its slot back',
    );
  }
  if (typeof worker !== "function")
    throw invalidOption("worker", worker, "a function of an event, or a process class");
  checkInteger("maxRestarts", maxRestarts, 0);
  checkInteger("maxSeconds", maxSeconds, 1);
  const config = { child: childPlan(worker, childOptions), restart, maxRestarts, maxSeconds };
  const given = {
    args: [config],
    restart: significant ? "transient" : "permanent",
    significant,
    shutdown: "infinity",
    ...(name && { name }),
    ...(subscribeTo && { subscribeTo }),
  };
  return specOf(
    ConsumerSupervisorProcess,
    given,
    "supervisor",
    name?.key ?? "consumerSupervisor",
  ) as unknown as ChildSpec<Process>;
}
