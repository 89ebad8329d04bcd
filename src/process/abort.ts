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
  try {
    return (
      error instanceof Error &&
      error.name === "AbortError" &&
      (error.cause === undefined || error.cause === signal.reason)
    );
  } catch {
    // A value that cannot even be looked at.
    return false;
  }
}

/** A signal that is made when it is first read: an AbortController costs more than most work that is given one. */
export class LazySignal {
  #controller: AbortController | undefined = undefined;
  #over: ExitReason | undefined = undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#over !== undefined) this.#controller.abort(abortReason(this.#over));
    }
    return this.#controller.signal;
  }

  /** Aborts it with that reason, once. */
  abort(reason: ExitReason): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#controller?.abort(abortReason(reason));
  }
}
