import { SluiceError, describeReason, type ExitReason } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import type { RestartIntensity } from "./restart-intensity.ts";

/** A supervisor has restarted too often: it stops all its children and ends (O22). */
export function giveUp(
  cell: Cell,
  { maxRestarts: restarts, seconds }: RestartIntensity,
  child: string,
  reason: ExitReason,
): void {
  const { pid: supervisor } = cell;
  const message = `${supervisor} gives up: more than ${restarts} restarts in ${seconds} s, last of ${child} (${describeReason(reason)})`;
  log("error", message, reason);
  const details = { supervisor, restarts, seconds };
  cell.stop({ shutdown: new SluiceError("SLUICE_RESTART_INTENSITY", message, details) });
}
