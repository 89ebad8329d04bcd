import { SluiceError, type ExitReason } from "../support/internal.ts";
import type { Cell } from "../process/internal.ts";
import type { Inlet, Intake } from "./inlet.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";
import type { From, Wanted } from "./subscription.ts";

/** Asks `handleSubscribe` of a consumer whether it asks by hand. */
export function isManual(cell: Cell, stage: StageCallbacks, terms: Wanted, from: From): boolean {
  const answer = stage.handleSubscribe?.("producer", terms, from);
  if (answer === undefined || answer === "automatic") return false;
  if (answer === "manual") return true;
  const got = String(answer);
  throw new SluiceError("SLUICE_INVALID_RETURN", `handleSubscribe of ${cell.pid} returned ${got}`, {
    callback: "handleSubscribe",
    got,
    expected: '"automatic", "manual" or nothing',
  });
}

/** Makes the subscriptions of the `subscribeTo` option, in order. */
export function subscribeAll(cell: Cell, stage: StageCallbacks, inlet: Inlet): void {
  const { subscribeTo = [] } = cell.plan.options as { readonly subscribeTo?: readonly unknown[] };
  if (!Array.isArray(subscribeTo)) {
    throw new SluiceError(
      "SLUICE_INVALID_OPTION",
      "subscribeTo: expected a list of producers or subscriptions",
      { option: "subscribeTo", got: typeof subscribeTo, expected: "a list" },
    );
  }
  subscribeTo.forEach((given: unknown, index) =>
    inlet.subscribe(given, `subscribeTo[${index}]`, (terms, from) =>
      isManual(cell, stage, terms, from),
    ),
  );
}

/** A subscription has ended: `handleCancel` runs, then its cancel mode decides whether the stage ends with it. */
export function intakeEnded(
  cell: Cell,
  stage: StageCallbacks,
  inlet: Inlet,
  tag: number,
  kind: "cancel" | "down",
  reason: ExitReason,
): Intake | undefined {
  const intake = inlet.remove(tag);
  if (intake === undefined) return undefined;
  stage.handleCancel?.({ kind, reason }, intake);
  if (inlet.endsWith(intake, reason)) cell.stop(reason);
  return intake;
}
