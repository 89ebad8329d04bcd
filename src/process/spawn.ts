import { SluiceError, describeReason, type ExitReason } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import { Cell } from "./cell.ts";
import type { Plan } from "./plan.ts";
import { State } from "./state.ts";

/** Why a process did not come up. */
export function startFailed(plan: Plan, reason: ExitReason): SluiceError<"SLUICE_START_FAILED"> {
  const cause = typeof reason === "object" && "crash" in reason ? reason.crash : undefined;
  return new SluiceError(
    "SLUICE_START_FAILED",
    `${plan.label} did not start (${describeReason(reason)})`,
    { child: plan.label, reason },
    { cause },
  );
}

/** Whoever starts a process may have to reach it before the start is over. */
interface Begun {
  /** It has entered the table and has its name; nothing of it has run. */
  readonly begun?: (cell: Cell) => void;
  /** It is up, in this very turn. */
  readonly up?: (cell: Cell) => void;
}

/** Starts a process and resolves when it is up. @throws SLUICE_ALREADY_REGISTERED, SLUICE_START_FAILED as rejections */
export function spawn(
  system: System,
  plan: Plan,
  parent: Cell | undefined,
  { begun, up }: Begun = {},
): Promise<Cell> {
  return new Promise((resolve, reject) => {
    // The callback of a killed parent goes on: it starts nothing any more.
    if (parent?.doom !== undefined) return reject(startFailed(plan, parent.doom));
    const cell = new Cell(system, plan, parent).begin();
    cell.onStart = (failure) => {
      if (failure !== undefined) return reject(startFailed(plan, failure));
      up?.(cell);
      resolve(cell);
    };
    begun?.(cell);
  });
}

/** Resolves when the process is gone. */
export function gone(cell: Cell): Promise<ExitReason> {
  if (cell.state === State.dead) return Promise.resolve(cell.doom!);
  return new Promise((resolve) => (cell.extras.onDead ??= new Set()).add(resolve));
}

/** Stops a process in order, as its plan says; after `timeoutMs` it is killed with everything below it. */
export async function stopCell(
  cell: Cell,
  reason: ExitReason,
  timeoutMs?: number,
): Promise<ExitReason> {
  const end = gone(cell);
  if (cell.plan.shutdown === "kill") cell.kill("killed");
  else cell.stop(reason);
  const timer =
    timeoutMs === undefined ? undefined : cell.system.after(timeoutMs, () => killTree(cell));
  const ended = await end;
  if (timer !== undefined) cell.system.cancel(timer);
  return ended;
}

/** Kills a process and all below it: a supervisor that outlived its own would stop its children in order. */
export function killTree(cell: Cell): void {
  if (cell.children !== undefined) for (const child of cell.children) killTree(child);
  cell.kill("killed");
}
