import { checkInteger, invalidOption } from "../support/internal.ts";
import { Task, checkBackoff, checkKnown, planOf, specOf, workPlan } from "../process/internal.ts";
import {
  Process,
  type Backoff,
  type ChildCounts,
  type ChildInfo,
  type ChildOptions,
  type ChildSpec,
  type Context,
  type NameFor,
  type Ref,
  type Task as TaskProcess,
} from "../process/index.ts";
import type { ConsumerSupervisorConfig } from "./consumer-supervisor-engine.ts";
import { ConsumerSupervisorProcess } from "./consumer-supervisor-process.ts";
import type { Accepting, Subscriptions } from "./subscription.ts";
import type { Work } from "./work.ts";

/** What a task function is told beside its event. */
export interface TaskContext extends Context {
  /** Which try this is, from 1. */
  readonly attempt: number;
}

/** One event, one task. Returning, or resolving, ends it; throwing is its crash. */
export type TaskFunction<In> = (event: In, context: TaskContext) => unknown;
/** One event, one process, whose constructor takes the event. */
export type EventProcessClass<In, P extends Process = Process> = new (event: In) => P;
/**
 * One event, one child of any kind: a spec made for it, called again for each try. A supervisor may stand here, or a
 * process with a name of its own. `restart` and its like are said by the ConsumerSupervisor, not by the spec.
 */
export interface EventChild<In, P> {
  /** The child of an event; what it throws is a failed start. */
  readonly child: (event: In) => ChildSpec<P>;
}

/** Options of a ConsumerSupervisor; `shutdown`, `maxMailbox` and `maxTasks` are those of its children. */
export interface ConsumerSupervisorOptions<In, P = unknown> extends Pick<
  ChildOptions<Process>,
  "shutdown" | "maxMailbox" | "maxTasks"
> {
  /** Registers the supervisor. */
  readonly name?: NameFor<ConsumerSupervisor<In, NoInfer<P>>>;
  /**
   * Its end may end the supervisor above it (`autoShutdown`): with a source that ends, the program ends when the last
   * child has. It is then restarted after a crash only. Default false.
   */
  readonly significant?: boolean;
  /**
   * What a crash of a child means: `"transient"` it is tried again with the same event, in the same slot, `"temporary"`
   * the event is lost and logged. `"permanent"` would never give its slot back.
   */
  readonly restart: "transient" | "temporary";
  /**
   * A restart waits so many ms, or longer with each of the same event, and its slot stays taken. Default 0: at once. It
   * counts towards `maxRestarts` all the same, at the end that made it necessary.
   */
  readonly restartDelayMs?: number | Backoff;
  /** Restarts within `maxSeconds` at most, over all children; one more and the supervisor ends. Default 3. */
  readonly maxRestarts?: number;
  /** The window for `maxRestarts`, in seconds; default 5. */
  readonly maxSeconds?: number;
  /** Whose events; `maxDemand` of each subscription is how many of its children run at once. */
  readonly subscribeTo?: Subscriptions<NoInfer<In>>;
}

/** What a ConsumerSupervisor knows of a child; `pid` and `state` tell of its incarnation now. */
export interface EventChildInfo<In, P> extends ChildInfo {
  /** What it works on. */
  readonly event: In;
  /** The incarnation that runs, or that ran last where it waits for a restart. */
  readonly ref: Ref<P>;
}

/** The messages of a ConsumerSupervisor. None of them waits for others, and events go on while a child starts or stops. */
export interface ConsumerSupervisor<In, P = unknown> {
  /**
   * Starts a child outside any demand, beyond `maxDemand`; the reply is its ref when it is up, which a function is at
   * once. A start that fails is not tried again; afterwards it is a child like any other.
   * @throws SLUICE_START_FAILED as a rejection
   */
  startChild(event: In): Promise<Ref<P>>;
  /**
   * Stops a child, or takes back its restart, and frees its slot; the reply is its end. One that has ended is none any
   * more: nothing happens.
   * @throws SLUICE_INVALID_OPTION (the child of another) as a rejection
   */
  terminateChild(child: Ref<unknown> | string): Promise<void>;
  /** The children, the eldest first, then those that wait for a restart. */
  whichChildren(): readonly EventChildInfo<In, P>[];
  /** The children in numbers; those that have ended are not kept. */
  countChildren(): ChildCounts;
  /** A type only. */
  readonly "~accepts": Accepting<In>;
}

const known: ReadonlySet<string> = new Set<keyof ConsumerSupervisorOptions<never>>([
  "name",
  "restart",
  "restartDelayMs",
  "maxRestarts",
  "maxSeconds",
  "significant",
  "subscribeTo",
  "shutdown",
  "maxMailbox",
  "maxTasks",
]);

type AnyWorker = TaskFunction<unknown> | EventProcessClass<unknown> | EventChild<unknown, unknown>;
type ChildMaker = Pick<ConsumerSupervisorConfig, "plan" | "constructs" | "specOf">;

/** What makes a child per event. @throws SLUICE_INVALID_OPTION */
function childMaker(worker: AnyWorker, options: object): ChildMaker {
  if (typeof worker === "function") {
    if (worker.prototype instanceof Process)
      return {
        plan: planOf(worker as EventProcessClass<unknown>, options),
        constructs: true,
        specOf: undefined,
      };
    const run = worker as TaskFunction<unknown>;
    const plan = workPlan(planOf(Task, options, worker.name || "task"), ({ note }) =>
      run((note as Work).event, note as Work),
    );
    return { plan, constructs: false, specOf: undefined };
  }
  const specOf = (worker as EventChild<unknown, unknown> | null | undefined)?.child;
  if (typeof specOf !== "function")
    throw invalidOption("worker", worker, "a function of an event, a process class, or { child }");
  for (const [option, value] of Object.entries(options))
    if (value !== undefined)
      throw invalidOption(option, value, "nothing: it is an option of the child's own spec");
  return { plan: planOf(Task, {}, specOf.name), constructs: false, specOf };
}

/**
 * Runs one child per event, as many at once as the subscriptions' `maxDemand` allows; the end of a child makes room for
 * the next. `minDemand` defaults to `maxDemand − 1`: every finished child asks for one more. When a producer ends in
 * order, its events are finished before the subscription's `cancel` mode ends the supervisor; when it crashes, the
 * children are stopped. Children of a subscription that has ended, and those of `startChild`, count for no other.
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
export function consumerSupervisor<In, P = TaskProcess>(
  worker: TaskFunction<In> | EventProcessClass<In, P & Process> | EventChild<In, P>,
  options: ConsumerSupervisorOptions<In, P>,
): ChildSpec<ConsumerSupervisor<In, P>> {
  if (typeof options !== "object" || options === null)
    throw invalidOption("options", options, "an object");
  checkKnown("consumerSupervisor", options, known);
  const {
    restart,
    restartDelayMs = 0,
    significant = false,
    name,
    subscribeTo,
    ...others
  } = options;
  const { maxRestarts = 3, maxSeconds = 5, ...childOptions } = others;
  if (restart !== "transient" && restart !== "temporary") {
    throw invalidOption(
      "restart",
      restart,
      '"transient" or "temporary": a permanent child would never give its slot back',
    );
  }
  checkBackoff("restartDelayMs", restartDelayMs);
  checkInteger("maxRestarts", maxRestarts, 0);
  checkInteger("maxSeconds", maxSeconds, 1);
  const child = childMaker(worker as AnyWorker, childOptions);
  const config = { ...child, restart, restartDelayMs, maxRestarts, maxSeconds };
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
  ) as unknown as ChildSpec<ConsumerSupervisor<In, P>>;
}
