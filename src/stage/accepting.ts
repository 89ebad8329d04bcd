import { SluiceError, describe, invalidOption, type ExitReason } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import { isThenable, type Cell, type Message } from "../process/internal.ts";
import type { Inlet } from "./inlet.ts";
import { StageKind, type Cancel } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";
import type { From, SubscriptionTerms } from "./subscription.ts";

/** Asks `handleSubscribe` of a consumer whether it asks by hand. @throws SLUICE_INVALID_RETURN */
export function isManual(
  cell: Cell,
  stage: StageCallbacks,
  terms: SubscriptionTerms,
  from: From,
): boolean {
  const answer = stage.handleSubscribe?.("producer", terms, from);
  if (answer === undefined || answer === "automatic") return false;
  if (answer === "manual") return true;
  throw invalidReturn(cell, "handleSubscribe", answer, '"automatic", "manual" or nothing');
}

/** Makes the subscriptions of the `subscribeTo` option, in order. @throws SLUICE_INVALID_OPTION, SLUICE_NO_PROCESS */
export function subscribeAll(cell: Cell, stage: StageCallbacks, inlet: Inlet): void {
  const { subscribeTo = [] } = cell.plan.options as { readonly subscribeTo?: readonly unknown[] };
  if (!Array.isArray(subscribeTo))
    throw invalidOption("subscribeTo", subscribeTo, "a list of producers or subscriptions");
  for (const [index, given] of subscribeTo.entries())
    inlet.subscribe(given, `subscribeTo[${index}]`, (terms, from) =>
      isManual(cell, stage, terms, from),
    );
}

/**
 * A subscription has ended: `handleCancel` runs, then `then` is told whether its cancel mode ends the stage. The end is
 * in order with the events that came before it.
 */
export function intakeEnded(
  cell: Cell,
  stage: StageCallbacks,
  inlet: Inlet,
  message: Cancel,
  then: (ends: boolean, reason: ExitReason) => void,
): void {
  const { kept } = inlet.intakes.get(message.tag) ?? {};
  // Behind the events that came before it, if these wait for the end of a pause.
  if (kept !== undefined && kept.length > 0) return kept.push(message);
  const { kind, tag, reason } = message;
  const intake = inlet.remove(tag);
  if (intake === undefined) return then(false, reason);
  if (kind === StageKind.cancelled) inlet.confirmEnd(intake);
  const decide = (): void => {
    const ends = inlet.endsWith(intake, reason);
    if (ends) log("info", `${cell.pid} ends with its subscription to ${intake.producer.pid}`);
    then(ends, reason);
  };
  const cause = { kind: kind === StageKind.cancelled ? "cancel" : "down", reason } as const;
  const result = stage.handleCancel?.(cause, intake);
  if (isThenable(result)) cell.hold(result, decide);
  else decide();
}

/** A message between stages that has come to the wrong one. */
export function misdirected({ pid }: Cell, role: string, { kind }: Message): void {
  log("error", `${pid} is a ${role} and got a message between stages of kind ${kind}: ignored`);
}

/** A callback gave what it must not give. */
export function invalidReturn(
  cell: Cell,
  callback: string,
  got: unknown,
  expected: string,
): SluiceError<"SLUICE_INVALID_RETURN"> {
  const shown = describe(got);
  const message = `${callback} of ${cell.pid} returned ${shown}, expected ${expected}`;
  return new SluiceError("SLUICE_INVALID_RETURN", message, { callback, got: shown, expected });
}

/** The events that a callback returned. @throws SLUICE_INVALID_RETURN */
export function eventsOf(cell: Cell, callback: string, result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result;
  throw invalidEvents(cell, callback, result);
}

/** A callback gave neither events nor nothing. */
export function invalidEvents(
  cell: Cell,
  callback: string,
  result: unknown,
): SluiceError<"SLUICE_INVALID_RETURN"> {
  return invalidReturn(cell, callback, result, "a list of events or nothing");
}
