import { SluiceError, describeReason, type ExitReason } from "../support/internal.ts";

/** What the signals of a process abort with. */
export function abortReason(reason: ExitReason): SluiceError<"SLUICE_EXITED"> {
  return new SluiceError("SLUICE_EXITED", `the process stops (${describeReason(reason)})`, {
    reason,
  });
}

/** Is this failure nothing but the abort itself, as thrown by what the signal was given to? */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal === undefined || !signal.aborted) return false;
  if (error === signal.reason) return true;
  return (
    error instanceof Error &&
    error.name === "AbortError" &&
    (error.cause === undefined || error.cause === signal.reason)
  );
}

/** Is it a promise, or something that can be awaited like one? */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** A result whose reply waits for it while the mailbox goes on: an offer. */
export interface Deferred extends PromiseLike<unknown> {
  /** Calls back once, when settled, from the runtime's own code. */
  "~settled"(settle: (error: unknown, value: unknown) => void): void;
}

/** Is the result one that must not hold the mailbox? */
export function isDeferred(value: object): value is Deferred {
  return "~settled" in value;
}
