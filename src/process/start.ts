import type { Addressable, ExitReason } from "../support/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { cellAt } from "./check.ts";
import type { OptionalArgument, OptionsOf } from "./child-spec.ts";
import { infoMessage } from "./message.ts";
import { planOf, type AnyProcessClass } from "./plan.ts";
import { processes } from "./process-table.ts";
import { running } from "./running.ts";
import { drop, sendUser } from "./send.ts";
import { spawn, stopCell } from "./spawn.ts";
import type { Running } from "./target.ts";

/**
 * Starts a process outside any tree, linked to nobody, owned by the caller; resolves when its `init` has run and its
 * subscriptions are made.
 * @throws SLUICE_ALREADY_REGISTERED, SLUICE_START_FAILED (also for a class that is no process and has no messages),
 * SLUICE_INVALID_OPTION as rejections
 */
export async function start<C extends AnyProcessClass>(
  process: C,
  ...options: OptionalArgument<OptionsOf<C>>
): Promise<Running<InstanceType<C>>> {
  return running(await spawn(currentSystem(), planOf(process, options[0] ?? {}), undefined));
}

/**
 * Stops whatever the target is and resolves when it is gone; at once when nobody is there. Default reason `"normal"`.
 * A supervisor starts a permanent child again, whatever its reason.
 */
export async function stop(target: Addressable, reason: ExitReason = "normal"): Promise<void> {
  const cell = cellAt(target);
  if (cell !== undefined) await stopCell(cell, reason);
}

/** Sends anything to the target's `handleInfo`; to nobody, or to a full mailbox, it is dropped and counted. */
export function info(target: Addressable, message: unknown): void {
  const cell = cellAt(target);
  if (cell === undefined) drop(undefined, currentSystem().get(processes));
  else if (!sendUser(cell, infoMessage(message))) drop(cell, cell.table);
}
