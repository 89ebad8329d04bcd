import { describe, type ExitReason } from "./exit-reason.ts";

/** Whatever leads to a process: a ref, a name, a supervisor's child slot. */
export interface Addressable {
  /** The process it leads to now, for the runtime alone. */
  "~resolve"(): object | undefined;
  /** What people call it. */
  toString(): string;
}

/** Everything that can go wrong, by code, with what is known about it. The list is closed. */
export interface ErrorDetails {
  readonly SLUICE_ALREADY_REGISTERED: { readonly key: string; readonly holder: Addressable };
  readonly SLUICE_NO_PROCESS: { readonly target: string };
  readonly SLUICE_EXITED: { readonly reason: ExitReason };
  readonly SLUICE_TIMEOUT: { readonly timeoutMs: number };
  readonly SLUICE_MAILBOX_FULL: { readonly pid: string; readonly limit: number };
  readonly SLUICE_TASKS_FULL: { readonly pid: string; readonly limit: number };
  readonly SLUICE_OFFERS_FULL: { readonly pid: string; readonly limit: number };
  readonly SLUICE_OFFER_AWAITED: { readonly pid: string };
  readonly SLUICE_SELF_CALL: { readonly pid: string };
  readonly SLUICE_START_FAILED: { readonly child: string; readonly reason: ExitReason };
  readonly SLUICE_RESTART_INTENSITY: {
    readonly supervisor: string;
    readonly restarts: number;
    readonly seconds: number;
  };
  readonly SLUICE_CHILDREN_FULL: { readonly pid: string; readonly limit: number };
  readonly SLUICE_ZOMBIE: { readonly child: string; readonly zombie: string };
  readonly SLUICE_INVALID_OPTION: {
    readonly option: string;
    readonly got: string;
    readonly expected: string;
  };
  readonly SLUICE_INVALID_RETURN: {
    readonly callback: string;
    readonly got: string;
    readonly expected: string;
  };
  readonly SLUICE_NOT_A_PRODUCER: { readonly target: string };
  readonly SLUICE_NOT_A_CONSUMER: { readonly target: string };
  readonly SLUICE_ALREADY_SUBSCRIBED: { readonly dispatcher: string };
  readonly SLUICE_TOO_SLOW: { readonly maxLag: number };
  readonly SLUICE_BUFFER_FULL: { readonly limit: number };
  readonly SLUICE_SINK_CLOSED: { readonly stage: string };
  readonly SLUICE_OUTSIDE_PROCESS: { readonly what: string };
  readonly SLUICE_NOT_SERVING: { readonly endpoint: string };
  readonly SLUICE_ADAPTER_DOWN: { readonly adapter: string };
  readonly SLUICE_LOG_BUSY: { readonly endpoint: string; readonly limit: number };
  readonly SLUICE_PAYLOAD_REFUSED: {
    readonly topic: string;
    readonly event: string;
    readonly why: string;
  };
  readonly SLUICE_STORE_FAILED: {
    readonly store: string;
    readonly operation: string;
    readonly topic: string;
  };
  readonly SLUICE_ALREADY_TRACKED: {
    readonly presence: string;
    readonly topic: string;
    readonly key: string;
    readonly pid: string;
  };
  readonly SLUICE_NOT_TRACKED: {
    readonly presence: string;
    readonly topic: string;
    readonly key: string;
    readonly pid: string;
  };
  readonly SLUICE_PRESENCE_REFUSED: {
    readonly presence: string;
    readonly topic: string;
    readonly key: string;
    readonly why: string;
  };
  readonly SLUICE_PRESENCE_LIMIT: {
    readonly presence: string;
    readonly topic: string;
    readonly key: string;
    readonly limit: string;
    readonly most: number;
  };
  readonly SLUICE_DUPLICATE_RUNTIME: { readonly paths: readonly [string, string] };
  readonly SLUICE_LEFT_BEHIND: {
    readonly processes: readonly string[];
    readonly timers: number;
    readonly names: readonly string[];
  };
  readonly SLUICE_REAL_IO: { readonly what: string };
  readonly SLUICE_UNEXPECTED: {
    readonly probe: string;
    readonly expected: string;
    readonly got: string;
  };
  readonly SLUICE_SIMULATION_FAILED: {
    readonly seed: number;
    readonly invariant: string;
    readonly trace: readonly string[];
    readonly replay: string;
  };
}

/** The code of a failure. */
export type ErrorCode = keyof ErrorDetails;

/** The same again, a little later, may succeed. */
const retryable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "SLUICE_NO_PROCESS",
  "SLUICE_TIMEOUT",
  "SLUICE_MAILBOX_FULL",
  "SLUICE_TASKS_FULL",
  "SLUICE_OFFERS_FULL",
  "SLUICE_CHILDREN_FULL",
  "SLUICE_LOG_BUSY",
  "SLUICE_ZOMBIE",
  "SLUICE_ADAPTER_DOWN",
  "SLUICE_STORE_FAILED",
  "SLUICE_PRESENCE_LIMIT",
]);

const brand: symbol = Symbol.for("sluice.error");

/**
 * The one error class. Tell failures apart by `code`; `details` says with what. `instanceof` and `is` hold across
 * copies of the package.
 *
 * ```ts
 * import { SluiceError } from "sluice";
 *
 * const error: unknown = new SluiceError("SLUICE_TIMEOUT", "no reply in 5000 ms", { timeoutMs: 5_000 });
 * if (SluiceError.is(error, "SLUICE_TIMEOUT")) console.info(error.details.timeoutMs, error.retryable);
 * ```
 */
export class SluiceError<C extends ErrorCode = ErrorCode> extends Error {
  /** Is it ours, with this code? */
  static is<C extends ErrorCode>(error: unknown, code: C): error is SluiceError<C> {
    return error instanceof SluiceError && error.code === code;
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** Which failure it is. */
  readonly code: C;
  /** What is known about it. */
  readonly details: ErrorDetails[C];
  /** The same again may succeed. */
  readonly retryable: boolean;
  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  constructor(
    code: C,
    message: string,
    details: ErrorDetails[C],
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = "SluiceError";
    this.code = code;
    this.details = details;
    this.retryable = retryable.has(code);
  }
}

/** Refuses an option, naming it, what came and what was expected. */
export function invalidOption(
  option: string,
  got: unknown,
  expected: string,
): SluiceError<"SLUICE_INVALID_OPTION"> {
  const shown = describe(got);
  return new SluiceError("SLUICE_INVALID_OPTION", `${option}: got ${shown}, expected ${expected}`, {
    option,
    got: shown,
    expected,
  });
}

/** Refuses anything but a whole number within bounds. */
export function checkInteger(
  option: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
    return;
  const bound =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalidOption(option, value, `a whole number ${bound}`);
}
