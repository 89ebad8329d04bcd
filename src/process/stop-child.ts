import { describeReason, isOrderly } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import { stopCell } from "./spawn.ts";
import type { Supervised } from "./supervised.ts";

/** Stops a child in order, and reports an end that was not (O24). */
export async function stopChild(
  supervisor: Cell,
  child: Pick<Supervised, "id" | "plan">,
  cell: Cell,
): Promise<void> {
  const reason = await stopCell(cell, "shutdown");
  const killed = reason === "killed" && child.plan.shutdown === "kill";
  if (isOrderly(reason) || killed) return;
  const message = `${child.id} of ${supervisor.pid} did not stop in order: ${describeReason(reason)}`;
  log("error", message, reason);
}
