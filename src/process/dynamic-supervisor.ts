import type { Addressable } from "../support/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import type { ChildSpec } from "./child-spec.ts";
import { DynamicSupervisorProcess } from "./dynamic-supervisor-process.ts";
import { running } from "./running.ts";
import { spawn } from "./spawn.ts";
import type { ChildCounts, ChildInfo } from "./supervised.ts";
import { supervisorSpec, type SupervisedOptions } from "./supervisor-spec.ts";
import type { NameFor, Ref, Running } from "./target.ts";

/** Limits of a dynamic supervisor. */
export interface DynamicSupervisorOptions {
  /** Registers the supervisor. */
  readonly name?: NameFor<DynamicSupervisor>;
  /** Children at once, those included that wait for a restart; default `Infinity`. */
  readonly maxChildren?: number;
  /** Restarts within `maxSeconds` at most, over all children; one more and it stops them and ends. Default 3. */
  readonly maxRestarts?: number;
  /** The window for `maxRestarts`, in seconds; default 5. */
  readonly maxSeconds?: number;
}

/** A message whose result has the type of its argument. */
export interface StartChild {
  <P>(spec: ChildSpec<P>): Ref<P>;
  /** As a call; a type only. */
  readonly "~call": <P>(spec: ChildSpec<P>) => Promise<Ref<P>>;
}

/** The messages of a dynamic supervisor. None of them waits for another, nor for what its child does. */
export interface DynamicSupervisor {
  /**
   * Starts a child and gives its ref when it is up. It restarts as its spec says, by itself, with the same arguments;
   * the ref leads to its first incarnation, a name in the spec to whichever runs. When it has ended for good, nothing
   * is left of it.
   * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_CHILDREN_FULL, SLUICE_INVALID_OPTION as rejections
   */
  readonly startChild: StartChild;
  /**
   * Stops a child, also one that waits for a restart, and resolves when it is gone; at once when it has ended before.
   * The ref of an earlier incarnation will do, and so will a pid.
   * @throws SLUICE_INVALID_OPTION (no child of this supervisor) as a rejection
   */
  terminateChild(target: Addressable | string): void;
  /** Every child there is; its `id` is its label: its name, or its class. */
  whichChildren(): readonly ChildInfo[];
  /** The children in numbers. */
  countChildren(): ChildCounts;
}

/**
 * Describes a supervisor that starts empty and gets its children by message: sessions, jobs, connections. Each child is
 * restarted alone; a stop tells all at once. Started again after a crash of its own, it is empty. Tasks go there too:
 * `startChild(task(work))`.
 *
 * ```ts
 * import { Process, child, dynamicSupervisor, name, run, type DynamicSupervisor } from "sluice";
 *
 * class Session extends Process {
 *   readonly #user: string;
 *   constructor(user: string) {
 *     super();
 *     this.#user = user;
 *   }
 *   greet(): string {
 *     return `hello ${this.#user}`;
 *   }
 * }
 * const sessions = name<DynamicSupervisor>("sessions");
 * await run(
 *   {
 *     strategy: "one_for_one",
 *     children: { sessions: dynamicSupervisor({ name: sessions, maxChildren: 1_000 }) },
 *   },
 *   {
 *     ready: async (app) => {
 *       const session = await sessions.call.startChild(child(Session, { args: ["ann"] }));
 *       console.info(await session.call.greet());
 *       await app.stop();
 *     },
 *   },
 * );
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function dynamicSupervisor(
  limits: DynamicSupervisorOptions = {},
  options: SupervisedOptions = {},
): ChildSpec<DynamicSupervisor> {
  DynamicSupervisorProcess.check(limits);
  return supervisorSpec(
    DynamicSupervisorProcess,
    "dynamicSupervisor",
    limits,
    options,
  ) as unknown as ChildSpec<DynamicSupervisor>;
}

/**
 * Starts a dynamic supervisor that the caller owns.
 * @throws SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections
 */
export async function startDynamicSupervisor(
  limits: DynamicSupervisorOptions = {},
): Promise<Running<DynamicSupervisor>> {
  return running(await spawn(currentSystem(), dynamicSupervisor(limits)["~plan"], undefined));
}
