import { SluiceError, describeReason, type TimerEntry } from "../support/internal.ts";
import { thread, type System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { checkMs } from "./check.ts";
import { UserMessage, type Reply } from "./message.ts";
import { sendUser } from "./send.ts";
import type { CallOptions } from "./target.ts";

/** How long a call waits for its reply unless told otherwise (OTP's default). */
const defaultTimeoutMs = 5_000;

/** One call on its way: the first of the reply, the end of the process, the timeout and the caller's signal settles it. */
class PendingCall implements Reply {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly system: System;
  readonly signal: AbortSignal | undefined;
  timer: TimerEntry<() => void> | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;

  constructor(
    system: System,
    signal: AbortSignal | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.system = system;
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
  }

  settle(error: unknown, value: unknown): void {
    if (this.timer !== undefined) this.system.cancel(this.timer);
    if (this.onAbort !== undefined) this.signal?.removeEventListener("abort", this.onAbort);
    if (error === undefined) this.resolve(value);
    else this.reject(error);
  }

  wait(cell: Cell, name: string, timeoutMs: number): void {
    const { signal, system } = this;
    if (timeoutMs !== Infinity)
      this.timer = system.after(timeoutMs, () =>
        this.settle(timedOut(cell, name, timeoutMs), undefined),
      );
    if (signal === undefined) return;
    this.onAbort = () => this.settle(signal.reason, undefined);
    signal.addEventListener("abort", this.onAbort);
  }
}

/** Sends a call and waits for its reply. A late reply finds the call settled and is lost. */
export function call(
  cell: Cell,
  name: string,
  args: readonly unknown[],
  { signal, timeoutMs = defaultTimeoutMs }: CallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    checkMs("timeoutMs", timeoutMs);
    if (thread.running === cell) throw selfCall(cell, name);
    signal?.throwIfAborted();
    const pending = new PendingCall(cell.system, signal, resolve, reject);
    if (!sendUser(cell, new UserMessage(name, args, pending))) throw refusal(cell, name);
    pending.wait(cell, name, timeoutMs);
  });
}

function selfCall(cell: Cell, name: string): SluiceError<"SLUICE_SELF_CALL"> {
  const { pid } = cell;
  const message = `${pid} calls its own ${name}: it would wait for itself`;
  return new SluiceError("SLUICE_SELF_CALL", message, { pid });
}

function timedOut(cell: Cell, name: string, timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  const message = `${cell.pid} did not reply to ${name} in ${timeoutMs} ms`;
  return new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs });
}

function refusal(cell: Cell, name: string): SluiceError {
  const { pid } = cell;
  const reason = cell.doom ?? cell.stopReason;
  if (reason !== undefined) {
    const message = `${pid} has ended (${describeReason(reason)}): no ${name}`;
    return new SluiceError("SLUICE_EXITED", message, { reason });
  }
  const limit = cell.plan.maxMailbox;
  const message = `${limit} messages wait for ${pid}: no room for ${name}`;
  return new SluiceError("SLUICE_MAILBOX_FULL", message, { pid, limit });
}
