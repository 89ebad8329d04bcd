import type { Cell } from "./cell.ts";

// `any` is the only type that every constructor's parameter list extends
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyProcessClass = new (...args: any) => object;

/** How to make one process, the same for each incarnation. */
export interface Plan {
  /** Instead of a class: one function, whose end is the end of the process. */
  readonly work: ((cell: Cell, ...args: readonly unknown[]) => unknown) | undefined;
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

export const defaultShutdownMs = 5_000;
export const defaultMaxMailbox = 10_000;
export const defaultMaxTasks = 100;
