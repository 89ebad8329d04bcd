import { checkInteger, invalidOption } from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import { checkKnown, checkName, checkOneOf } from "./check.ts";

/** Any class that can be started; its instances are processes when it extends `Process` or a stage. */
// oxlint-disable-next-line typescript/no-explicit-any -- the only type that every constructor's parameter list extends
export type AnyProcessClass = new (...args: any) => object;

/** How to make one process, the same for each incarnation. */
export interface Plan {
  /** Instead of a class: one function, whose end is the end of the process. */
  readonly work: ((cell: Cell) => unknown) | undefined;
  readonly process: AnyProcessClass;
  readonly args: readonly unknown[];
  /** What people call it: its id below its supervisor, its name, or its class. */
  readonly label: string;
  readonly name: string | undefined;
  /** Grace in ms for the callback in hand, and again for `terminate`. */
  readonly shutdown: number | "infinity" | "kill";
  readonly maxMailbox: number;
  readonly maxTasks: number;
  readonly exclusive: boolean;
  /** Everything the caller gave, for the engines of upper layers. */
  readonly options: object;
}

/** Options of every process, as far as its plan takes them. */
interface Given {
  readonly args?: readonly unknown[];
  readonly name?: { readonly key: string };
  readonly shutdown?: Plan["shutdown"];
  readonly exclusive?: boolean;
  readonly maxMailbox?: number;
  readonly maxTasks?: number;
}

const known: ReadonlySet<string> = new Set([
  "args",
  "name",
  "restart",
  "restartDelayMs",
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

/** The plan of a class with options; refuses what no class takes. @throws SLUICE_INVALID_OPTION */
export function planOf(process: AnyProcessClass, options: object, label?: string): Plan {
  // A function that no object is made by has no prototype.
  if (typeof process !== "function" || (process.prototype as unknown) === undefined)
    throw invalidOption("process", process, "a class");
  if (typeof options !== "object" || options === null)
    throw invalidOption("options", options, "an object");
  const {
    args = [],
    name,
    shutdown = 5_000,
    exclusive = false,
    maxMailbox = 10_000,
    maxTasks = 100,
  } = options as Given;
  const own = (process as WithOptionNames)["~optionNames"];
  const what = process.name || "process";
  checkKnown(what, options, own === undefined ? known : new Set([...known, ...own]));
  if (!Array.isArray(args)) throw invalidOption("args", args, "a list of constructor arguments");
  checkName(name);
  checkShutdown(shutdown);
  checkOneOf("exclusive", exclusive, [true, false]);
  checkInteger("maxMailbox", maxMailbox, 1);
  checkInteger("maxTasks", maxTasks, 1);
  return {
    work: undefined,
    process,
    args,
    label: label ?? name?.key ?? what,
    name: name?.key,
    shutdown,
    maxMailbox,
    maxTasks,
    exclusive,
    options,
  };
}

/** The plan of a function. */
export function workPlan(plan: Plan, work: NonNullable<Plan["work"]>): Plan {
  return { ...plan, work };
}

/** The same plan under the label that its supervisor gives it. */
export function labelled(plan: Plan, label: string): Plan {
  return plan.label === label ? plan : { ...plan, label };
}
