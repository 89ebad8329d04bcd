import { checkInteger, invalidOption } from "../support/internal.ts";
import type { NameFor } from "./target.ts";
import {
  defaultMaxMailbox,
  defaultMaxTasks,
  defaultShutdownMs,
  type AnyProcessClass,
  type Plan,
} from "./plan.ts";

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
  /** Grace in ms for the callback in hand, and again for `terminate`, before the kill; default 5,000, supervisors `"infinity"`. */
  readonly shutdown?: number | "infinity" | "kill";
  /** Its end may end the supervisor (`autoShutdown`); not with `"permanent"`. Default false. */
  readonly significant?: boolean;
  /** A restart waits until the callback of a killed incarnation has ended. Default false. */
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
  readonly args?: readonly unknown[];
  readonly name?: { readonly key: string };
  readonly restart?: Restart;
  readonly shutdown?: Plan["shutdown"];
  readonly significant?: boolean;
  readonly exclusive?: boolean;
  readonly maxMailbox?: number;
  readonly maxTasks?: number;
}

const known: ReadonlySet<string> = new Set([
  "args",
  "name",
  "restart",
  "shutdown",
  "significant",
  "exclusive",
  "maxMailbox",
  "maxTasks",
]);
/** Options that upper layers take, by the static member `"~optionNames"` of their classes. */
interface WithOptionNames {
  readonly "~optionNames"?: ReadonlySet<string>;
}

function checkShutdown(shutdown: unknown): void {
  if (shutdown === "infinity" || shutdown === "kill") return;
  if (typeof shutdown === "number" && shutdown >= 0 && shutdown < Infinity) return;
  throw invalidOption("shutdown", shutdown, 'milliseconds, 0 or more, "infinity" or "kill"');
}

function checkOption(option: string, value: unknown, expected: readonly unknown[]): void {
  if (!expected.includes(value))
    throw invalidOption(option, value, expected.map((one) => JSON.stringify(one)).join(" or "));
}

/** The plan of a class with options; refuses what no class takes. @throws SLUICE_INVALID_OPTION */
export function planOf(process: AnyProcessClass, options: object, label?: string): Plan {
  const {
    args = [],
    name,
    shutdown = defaultShutdownMs,
    exclusive = false,
    maxMailbox = defaultMaxMailbox,
    maxTasks = defaultMaxTasks,
  } = options as Given;
  const own = (process as WithOptionNames)["~optionNames"];
  for (const option of Object.keys(options)) {
    if (known.has(option) || own?.has(option) === true) continue;
    const all = [...known, ...(own ?? [])].join(", ");
    throw invalidOption(
      `${process.name || "process"}: ${option}`,
      (options as Record<string, unknown>)[option],
      `one of the options ${all}`,
    );
  }
  checkShutdown(shutdown);
  checkOption("exclusive", exclusive, [true, false]);
  checkInteger("maxMailbox", maxMailbox, 1);
  checkInteger("maxTasks", maxTasks, 1);
  return {
    work: undefined,
    process,
    args,
    label: label ?? name?.key ?? (process.name || "process"),
    name: name?.key,
    shutdown,
    maxMailbox,
    maxTasks,
    exclusive,
    options,
  };
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
  const { restart = "permanent", significant = false } = options as Given;
  checkOption("restart", restart, ["permanent", "transient", "temporary"]);
  checkOption("significant", significant, [true, false]);
  if (significant && restart === "permanent")
    throw invalidOption("significant", true, 'false, or restart "transient" or "temporary"');
  const plan = planOf(process, options, label);
  return {
    restart,
    shutdown: plan.shutdown,
    type,
    significant,
    "~plan": plan,
    "~process": undefined as never,
  };
}

/** The same plan under the label that its supervisor gives it. */
export function labelled(plan: Plan, label: string): Plan {
  return plan.label === label ? plan : { ...plan, label };
}
