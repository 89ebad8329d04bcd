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

/**
 * What work is given to know when it is no longer wanted: a signal that is made when it is first read, for an
 * AbortController costs more than most work that is given one. Whoever it is given to sees nothing else.
 */
export class LazySignal {
  #controller: AbortController | undefined = undefined;
  #why: SluiceError | undefined = undefined;

  /** Aborts it with that error, once. */
  static abort(lazy: LazySignal | undefined, why: SluiceError): void {
    if (lazy === undefined || lazy.#why !== undefined) return;
    lazy.#why = why;
    lazy.#controller?.abort(why);
  }

  /** What it was aborted with. */
  static why(lazy: LazySignal): SluiceError | undefined {
    return lazy.#why;
  }

  /** The signal, if it was read. */
  static made(lazy: LazySignal | undefined): AbortSignal | undefined {
    return lazy === undefined ? undefined : lazy.#controller?.signal;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#why !== undefined) this.#controller.abort(this.#why);
    }
    return this.#controller.signal;
  }
}
