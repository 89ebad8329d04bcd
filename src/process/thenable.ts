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
