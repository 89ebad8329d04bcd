import { currentSystem } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { ChildSlot } from "./child-slot.ts";
import type { ChildSpec } from "./child-spec.ts";
import { running } from "./running.ts";
import { spawn } from "./spawn.ts";
import { SupervisorProcess } from "./supervisor-process.ts";
import { supervisorSpec, type SupervisedOptions } from "./supervisor-spec.ts";
import type { ChildCounts, ChildInfo } from "./supervised.ts";
import type { NameFor, Running, Target } from "./target.ts";

/**
 * Which children the crash of one takes with it: `"one_for_one"` none, `"one_for_all"` all, `"rest_for_one"` those that
 * stand after it. They are stopped in reverse and started again in order, ended ones as well; temporary ones stay down.
 */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";

/** Children by id, in start order. */
export type Children = { readonly [id: string]: ChildSpec<unknown> };
type NoNumericIds<C> = {
  readonly [K in keyof C]: K extends number | `${number}`
    ? "an integer-like id would be reordered"
    : C[K];
};

/** A supervisor and its children. */
export interface SupervisorOptions<C extends Children> {
  /** Registers the supervisor. */
  readonly name?: NameFor<Supervisor<C>>;
  /** Which children the crash of one takes with it. */
  readonly strategy: Strategy;
  /**
   * Restarts within `maxSeconds` at most, over all children, a group together counting once; default 3. One more and the
   * supervisor stops its children and ends with `{ shutdown: SLUICE_RESTART_INTENSITY }`.
   */
  readonly maxRestarts?: number;
  /** The window for `maxRestarts`, in seconds; default 5. */
  readonly maxSeconds?: number;
  /** The end of significant children that are not restarted ends the supervisor; default `"never"`. */
  readonly autoShutdown?: "never" | "any_significant" | "all_significant";
  /** Started in this order, one after the other; stopped in reverse. */
  readonly children: C & NoNumericIds<C>;
}

/** The messages of a supervisor. While it starts, stops or restarts children, they wait. */
export interface Supervisor<C extends Children = Children> {
  /** Every child, in start order. */
  whichChildren(): readonly ChildInfo<keyof C>[];
  /** The children in numbers. */
  countChildren(): ChildCounts;
  /**
   * Starts a child that has ended, at once and alone, also where it waits for a delay or for its group; one that runs is
   * left alone.
   * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_ZOMBIE (it is exclusive, and its last incarnation
   *   still works), SLUICE_INVALID_OPTION (no such child) as rejections
   */
  restartChild(id: keyof C): void;
  /**
   * Stops a child; it stays down until `restartChild`, or until it is started again together with others.
   * @throws SLUICE_INVALID_OPTION (no such child) as a rejection
   */
  terminateChild(id: keyof C): void;
}

/** A running supervisor; each child is reachable by its id, across restarts. */
export interface RunningSupervisor<C extends Children> extends Running<Supervisor<C>> {
  /** The children by id. */
  readonly children: {
    readonly [K in keyof C]: C[K] extends ChildSpec<infer P> ? Target<P> : never;
  };
}

/** Starts a tree; `begun` gets its engine before any child is started. */
export async function beginSupervisor<const C extends Children>(
  options: SupervisorOptions<C>,
  begun?: (cell: Cell) => void,
): Promise<RunningSupervisor<C>> {
  const plan = supervisor(options)["~plan"];
  const cell = await spawn(currentSystem(), plan, undefined, begun && { begun });
  const slots = Object.keys(options.children).map((id) => [id, new ChildSlot(cell, id)]);
  return Object.defineProperty(running(cell), "children", {
    value: Object.fromEntries(slots) as unknown,
  }) as unknown as RunningSupervisor<C>;
}

/**
 * Starts a tree that the caller owns, for tests and functions; a program is `run`. Children start one after the other;
 * when one fails, those already up are stopped in reverse.
 *
 * ```ts
 * import { Process, child, startSupervisor } from "sluice";
 *
 * class Counter extends Process {
 *   #count = 0;
 *   add(n: number): number {
 *     if (n < 0) throw new RangeError("only up");
 *     return (this.#count += n);
 *   }
 * }
 * await using app = await startSupervisor({
 *   strategy: "one_for_one",
 *   children: { counter: child(Counter) },
 * });
 * console.info(await app.children.counter.call.add(2));
 * ```
 * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections
 */
export function startSupervisor<const C extends Children>(
  options: SupervisorOptions<C>,
): Promise<RunningSupervisor<C>> {
  return beginSupervisor(options);
}

/**
 * Describes a supervisor as a child of another. Unless told otherwise it is permanent, and has all the time it takes to
 * stop its children. One that is `significant` (and then `"transient"` or `"temporary"`) hands its own end on.
 * @throws SLUICE_INVALID_OPTION
 */
export function supervisor<const C extends Children>(
  tree: SupervisorOptions<C>,
  options: SupervisedOptions = {},
): ChildSpec<Supervisor<C>> {
  SupervisorProcess.check(tree);
  return supervisorSpec(SupervisorProcess, "supervisor", tree, options) as unknown as ChildSpec<
    Supervisor<C>
  >;
}
