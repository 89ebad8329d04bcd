import { invalidOption } from "../support/internal.ts";
import { checkBackoff, type Backoff } from "./backoff.ts";
import { checkOneOf } from "./check.ts";
import { planOf, type AnyProcessClass, type Plan } from "./plan.ts";
import type { NameFor } from "./target.ts";

/** Constructor arguments, the same in each incarnation; the key is required exactly when the constructor needs one. */
export type WithArgs<C extends AnyProcessClass> =
  [] extends ConstructorParameters<C>
    ? { readonly args?: ConstructorParameters<C> }
    : { readonly args: ConstructorParameters<C> };
/** A last argument that may be left out when nothing in it is required. */
export type OptionalArgument<O> = {} extends O ? [options?: O] : [options: O];

/**
 * What the end of a child means: `"permanent"` is always restarted, `"transient"` after a crash only, `"temporary"` never.
 */
export type Restart = "permanent" | "transient" | "temporary";

/** Options of every child, whatever its class. */
export interface ChildOptions<P> {
  /** Registers the child before `init`; released on exit. */
  readonly name?: NameFor<P>;
  /** Default `"permanent"`. */
  readonly restart?: Restart;
  /**
   * A restart waits so many ms, or longer with each in a row; those of its group wait with it. Default 0: at once. It
   * counts towards `maxRestarts` all the same, at the end that made it necessary.
   */
  readonly restartDelayMs?: number | Backoff;
  /** Grace in ms for the callback in hand, and again for `terminate`, before the kill; default 5,000, supervisors `"infinity"`. */
  readonly shutdown?: number | "infinity" | "kill";
  /** Its end may end the supervisor (`autoShutdown`); not with `"permanent"`. Default false. */
  readonly significant?: boolean;
  /**
   * A restart waits until the callback of a killed incarnation has ended, also where the supervisor itself was started
   * again meanwhile. Default false.
   */
  readonly exclusive?: boolean;
  /** User messages waiting at most; default 10,000. Beyond: calls reject `SLUICE_MAILBOX_FULL`, casts are dropped and counted. */
  readonly maxMailbox?: number;
  /** `self.task`s at once; default 100. */
  readonly maxTasks?: number;
}

/** Options that a class takes beyond those of every child, read off its phantom member `"~options"`. */
export type OwnOptions<P> = P extends { readonly "~options"?: infer O } ? NonNullable<O> : unknown;

/** Everything `child` and `start` accept for class `C`. */
export type OptionsOf<C extends AnyProcessClass> = WithArgs<C> &
  ChildOptions<InstanceType<C>> &
  OwnOptions<InstanceType<C>>;

/** How to start and restart one child: a plain value, usable more than once. */
export interface ChildSpec<P> {
  /** What its end means. */
  readonly restart: Restart;
  /** What a restart waits for. */
  readonly restartDelayMs: number | Backoff;
  /** Grace in ms before the kill. */
  readonly shutdown: number | "infinity" | "kill";
  /** What it is to its supervisor. */
  readonly type: "worker" | "supervisor";
  /** Its end may end the supervisor. */
  readonly significant: boolean;
  /** The runtime's own. */
  readonly "~plan": Plan;
  /** A type only. */
  readonly "~process": P;
}

interface Given {
  readonly restart?: Restart;
  readonly restartDelayMs?: number | Backoff;
  readonly significant?: boolean;
}

/**
 * Describes a child of a supervisor: its class, and everything the tree says about it.
 * @throws SLUICE_INVALID_OPTION
 */
export function child<C extends AnyProcessClass>(
  process: C,
  ...options: OptionalArgument<OptionsOf<C>>
): ChildSpec<InstanceType<C>> {
  return specOf(process, options[0] ?? {}, "worker") as ChildSpec<InstanceType<C>>;
}

/** The spec of any class. */
export function specOf(
  process: AnyProcessClass,
  options: object,
  type: "worker" | "supervisor",
  label?: string,
): ChildSpec<object> {
  const { restart = "permanent", restartDelayMs = 0, significant = false } = options as Given;
  checkOneOf("restart", restart, ["permanent", "transient", "temporary"]);
  checkBackoff("restartDelayMs", restartDelayMs);
  checkOneOf("significant", significant, [true, false]);
  if (significant && restart === "permanent")
    throw invalidOption("significant", true, 'false, or restart "transient" or "temporary"');
  const plan = planOf(process, options, label);
  return {
    restart,
    restartDelayMs,
    shutdown: plan.shutdown,
    type,
    significant,
    "~plan": plan,
    "~process": undefined as never,
  };
}
