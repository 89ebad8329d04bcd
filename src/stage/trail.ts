import { SluiceError, describeReason, type ExitReason } from "../support/internal.ts";
import type { Cell } from "../process/internal.ts";
import type { Consumption } from "./outlet.ts";

/** Events went astray: whoever had them is gone. */
export interface Loss {
  /** Numbers of the system only grow: a subscription with a smaller one was there when it happened. */
  readonly id: number;
  readonly error: SluiceError;
}

/** Whoever wants to know what becomes of a stage's events. */
export interface Follower {
  /** A consumer more takes them. */
  subscribed(consumption: Consumption): void;
  lost(loss: Loss): void;
}

/** What is known of the events of one stage once they have left it; most stages need none. */
export class Trail {
  readonly followers: Set<Follower> = new Set();
  /** The last loss. */
  loss: Loss | undefined = undefined;

  subscribed(consumption: Consumption): void {
    for (const follower of this.followers) follower.subscribed(consumption);
  }

  lost(loss: Loss): void {
    this.loss = loss;
    for (const follower of this.followers) follower.lost(loss);
  }
}

/** Whatever it had is not handled. */
export function endedEarly({ pid }: Cell, reason: ExitReason): SluiceError<"SLUICE_EXITED"> {
  const message = `${pid} ended before all was handled (${describeReason(reason)})`;
  const cause = typeof reason === "object" && "crash" in reason ? reason.crash : undefined;
  return new SluiceError("SLUICE_EXITED", message, { reason }, { cause });
}

/** Whoever had taken events of a producer has ended before it. */
export function loseBehind({ engine, system }: Cell, by: Cell, reason: ExitReason): void {
  const { trail } = engine as unknown as { readonly trail: Trail };
  trail.lost({ id: system.nextId(), error: endedEarly(by, reason) });
}
