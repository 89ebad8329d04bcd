import type { ExitReason } from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import { checkMs } from "./check.ts";
import { ResolvedRef } from "./ref.ts";
import { gone, stopCell } from "./spawn.ts";
import type { Running } from "./target.ts";

class RunningProcess extends ResolvedRef {
  #exited: Promise<ExitReason> | undefined = undefined;

  get exited(): Promise<ExitReason> {
    return (this.#exited ??= gone(this.cell));
  }

  async stop(
    reason: ExitReason = "normal",
    { timeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    if (timeoutMs !== undefined) checkMs("timeoutMs", timeoutMs);
    await stopCell(this.cell, reason, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopCell(this.cell, "shutdown");
  }
}

/** A ref that owns. */
export function running(cell: Cell): Running<never> {
  return new RunningProcess(cell) as unknown as Running<never>;
}
