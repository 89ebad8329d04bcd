import {
  SluiceError,
  describeReason,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { State, Cell } from "./cell.ts";
import { planOf, type OptionalArgument, type OptionsOf } from "./child-spec.ts";
import type { AnyProcessClass, Plan } from "./plan.ts";
import type { ProcessRef } from "./ref.ts";
import type { Running } from "./target.ts";
import { InfoMessage } from "./message.ts";
import { drop, sendUser } from "./ref.ts";
import { processes } from "./process-table.ts";

function startFailed(plan: Plan, reason: ExitReason): SluiceError<"SLUICE_START_FAILED"> {
  const cause = typeof reason === "object" && "crash" in reason ? reason.crash : undefined;
  return new SluiceError(
    "SLUICE_START_FAILED",
    `${plan.label} did not start (${describeReason(reason)})`,
    { child: plan.label, reason },
    { cause },
  );
}

/** Starts a process and resolves when it is up. @throws SLUICE_ALREADY_REGISTERED, SLUICE_START_FAILED as rejections */
export function spawn(
  system: System,
  plan: Plan,
  parent: Cell | undefined,
  begun?: (cell: Cell) => void,
): Promise<Cell> {
  return new Promise((resolve, reject) => {
    const cell = new Cell(system, plan, parent);
    cell.begin();
    begun?.(cell);
    const { extras } = cell;
    const failed = (reason: ExitReason): void => reject(startFailed(plan, reason));
    (extras.onDead ??= new Set()).add(failed);
    extras.onStarted = () => {
      extras.onDead?.delete(failed);
      resolve(cell);
    };
  });
}

/** Resolves when the process is gone. */
export function gone(cell: Cell): Promise<ExitReason> {
  if (cell.state === State.dead) return Promise.resolve(cell.doom ?? "noproc");
  return new Promise((resolve) => (cell.extras.onDead ??= new Set()).add(resolve));
}

class RunningProcess {
  readonly exited: Promise<ExitReason>;
  readonly ref: ProcessRef;
  readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
    this.ref = cell.ref;
    this.exited = gone(cell);
  }

  get pid(): string {
    return this.ref.pid;
  }
  get address(): ProcessRef["address"] {
    return this.ref.address;
  }
  get cast(): ProcessRef["cast"] {
    return this.ref.cast;
  }
  get call(): ProcessRef["call"] {
    return this.ref.call;
  }
  callWith(options: Parameters<ProcessRef["callWith"]>[0]): ProcessRef["call"] {
    return this.ref.callWith(options);
  }
  "~resolve"(): Cell {
    return this.cell;
  }
  async stop(
    reason: ExitReason = "normal",
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    await stopCell(this.cell, reason, options.timeoutMs);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await stopCell(this.cell, "shutdown", undefined);
  }
}

/** A ref that owns. */
export function running(cell: Cell): Running<never> {
  return new RunningProcess(cell) as unknown as Running<never>;
}

/** Stops a process in order; killed after `timeoutMs`. */
export async function stopCell(
  cell: Cell,
  reason: ExitReason,
  timeoutMs: number | undefined,
): Promise<void> {
  const end = gone(cell);
  cell.stop(reason);
  const timer =
    timeoutMs === undefined ? undefined : cell.system.after(timeoutMs, () => cell.kill("killed"));
  await end;
  if (timer !== undefined) cell.system.cancel(timer);
}

/**
 * Starts a process outside any tree, linked to nobody, owned by the caller; resolves when its `init` has run and its
 * subscriptions are made.
 * @throws SLUICE_ALREADY_REGISTERED, SLUICE_START_FAILED, SLUICE_INVALID_OPTION as rejections
 */
export async function start<C extends AnyProcessClass>(
  process: C,
  ...options: OptionalArgument<OptionsOf<C>>
): Promise<Running<InstanceType<C>>> {
  const cell = await spawn(currentSystem(), planOf(process, options[0] ?? {}), undefined);
  return running(cell) as unknown as Running<InstanceType<C>>;
}

/**
 * Stops whatever the target is and resolves when it is gone; at once when nobody is there. Default reason `"normal"`.
 */
export async function stop(target: Addressable, reason: ExitReason = "normal"): Promise<void> {
  const cell = target["~resolve"]() as Cell | undefined;
  if (cell !== undefined) await stopCell(cell, reason, undefined);
}

/** Sends anything to the target's `handleInfo`; to nobody, or to a full mailbox, it is dropped and counted. */
export function info(target: Addressable, message: unknown): void {
  const cell = target["~resolve"]() as Cell | undefined;
  if (cell === undefined) drop(undefined, currentSystem().get(processes));
  else if (!sendUser(cell, new InfoMessage(message))) drop(cell, cell.table);
}
