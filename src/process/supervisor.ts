import type { ExitReason } from "../support/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { specOf, type ChildSpec } from "./child-spec.ts";
import { SupervisorProcess } from "./supervisor-process.ts";
import { ChildSlot } from "./child-slot.ts";
import { running, spawn } from "./start.ts";
import type { NameFor, Running, Target } from "./target.ts";

/**
 * Which children the end of one takes with it: `"one_for_one"` none, `"one_for_all"` all, `"rest_for_one"` those started
 * after it.
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
  /** Which children the end of one takes with it. */
  readonly strategy: Strategy;
  /** Restarts within `maxSeconds` at most, over all children; one more and the supervisor ends. Default 3. */
  readonly maxRestarts?: number;
  /** The window for `maxRestarts`, in seconds; default 5. */
  readonly maxSeconds?: number;
  /** The end of significant children that are not restarted ends the supervisor; default `"never"`. */
  readonly autoShutdown?: "never" | "any_significant" | "all_significant";
  /** Started in this order, one after the other; stopped in reverse. */
  readonly children: C & NoNumericIds<C>;
}

/** The messages of a supervisor. */
export interface Supervisor<C extends Children = Children> {
  /** Every child with its pid, `"restarting"`, or nothing when it has ended. */
  whichChildren(): { readonly id: keyof C; readonly pid: string | "restarting" | undefined }[];
  /** How many children it has, and how many run. */
  countChildren(): { readonly specs: number; readonly active: number };
  /** Starts a child that has ended; one that runs is left alone. */
  restartChild(id: keyof C): void;
  /** Stops a child; it is not restarted until `restartChild`. */
  terminateChild(id: keyof C): void;
}

/** A running supervisor; each child is reachable by its id, across restarts. */
export interface RunningSupervisor<C extends Children> extends Running<Supervisor<C>> {
  /** The children by id. */
  readonly children: {
    readonly [K in keyof C]: C[K] extends ChildSpec<infer P> ? Target<P> : never;
  };
}

/** A running supervisor over the engine. */
export function runningSupervisor<C extends Children>(
  cell: Cell,
  ids: readonly string[],
): RunningSupervisor<C> {
  const children = Object.fromEntries(ids.map((id) => [id, new ChildSlot(cell, id)]));
  return Object.defineProperty(running(cell), "children", {
    value: children,
  }) as unknown as RunningSupervisor<C>;
}

/**
 * Starts a tree that the caller owns, for tests and functions; a program is `run`. Children start one after the other;
 * when one fails, those already up are stopped in reverse.
 * @throws SLUICE_START_FAILED, SLUICE_ALREADY_REGISTERED, SLUICE_INVALID_OPTION as rejections
 */
export async function startSupervisor<const C extends Children>(
  options: SupervisorOptions<C>,
): Promise<RunningSupervisor<C>> {
  const spec = supervisor(options);
  const cell = await spawn(currentSystem(), spec["~plan"], undefined);
  return runningSupervisor<C>(cell, Object.keys(options.children));
}

/** Describes a supervisor as a child of another. @throws SLUICE_INVALID_OPTION */
export function supervisor<const C extends Children>(
  options: SupervisorOptions<C>,
): ChildSpec<Supervisor<C>> {
  SupervisorProcess.check(options);
  const { name } = options;
  const given = {
    args: [options],
    shutdown: "infinity" as const,
    ...(name === undefined ? {} : { name }),
  };
  return specOf(
    SupervisorProcess,
    given,
    "supervisor",
    name?.key ?? "supervisor",
  ) as unknown as ChildSpec<Supervisor<C>>;
}

export type { ExitReason };
