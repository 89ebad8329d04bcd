import {
  SluiceError,
  describeReason,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { dropped } from "../telemetry/internal.ts";
import { behaviourOf } from "./behaviour.ts";
import { State, type Cell } from "./cell.ts";
import { ClosureMessage, UserMessage, type Message, type Reply } from "./message.ts";
import type { CallOptions } from "./target.ts";

/** How long a call waits for its reply unless told otherwise (OTP's default). */
export const defaultCallTimeoutMs = 5_000;

type Stubs = { readonly [message: string]: (...args: unknown[]) => unknown };

/** What every target is inside: stubs by message name, whatever the class. */
export interface ProcessRef extends Addressable {
  readonly pid: string;
  readonly address: { readonly thread: number; readonly id: number };
  readonly cast: Stubs;
  readonly call: Stubs;
  callWith(options: CallOptions): Stubs;
  "~resolve"(): Cell;
}

/** One call on its way: settled once, by the reply, the end of the process, the timeout or the caller's signal. */
class PendingCall implements Reply {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  cancel: (() => void) | undefined = undefined;
  done = false;

  constructor(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }

  settle(error: unknown, value: unknown): void {
    if (this.done) return;
    this.done = true;
    this.cancel?.();
    if (error === undefined) this.resolve(value);
    else this.reject(error);
  }
}

/** Drops a message for which there is no place, and counts it. */
export function drop(cell: Cell | undefined, table: { dropped: number }): void {
  table.dropped++;
  if (dropped.active) dropped.emit({ pid: cell?.pid, count: 1 });
}

/** Sends a user message if there is a place for it. */
export function sendUser(cell: Cell, message: Message): boolean {
  if (
    cell.state >= State.ending ||
    cell.stopReason !== undefined ||
    cell.waiting >= cell.plan.maxMailbox
  )
    return false;
  cell.waiting++;
  cell.send(message);
  return true;
}

/** Sends work that takes a place of a user message; to a full mailbox or a stopping process it is dropped and counted. */
export function sendWork(cell: Cell, run: () => unknown): void {
  if (!sendUser(cell, new ClosureMessage(run, true))) drop(cell, cell.table);
}

function refusal(cell: Cell, name: string): SluiceError {
  if (cell.state >= State.ending || cell.stopReason !== undefined) {
    const reason: ExitReason = cell.stopReason ?? "noproc";
    return new SluiceError(
      "SLUICE_EXITED",
      `${cell.pid} has ended (${describeReason(reason)}): no ${name}`,
      { reason },
    );
  }
  const limit = cell.plan.maxMailbox;
  return new SluiceError(
    "SLUICE_MAILBOX_FULL",
    `${limit} messages wait for ${cell.pid}: no room for ${name}`,
    { pid: cell.pid, limit },
  );
}

/** Sends a call and waits for its reply. */
export function call(
  cell: Cell,
  name: string,
  args: readonly unknown[],
  options: CallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const pending = new PendingCall(resolve, reject);
    if (thread.running === cell) {
      return reject(
        new SluiceError(
          "SLUICE_SELF_CALL",
          `${cell.pid} calls its own ${name}: it would wait for itself`,
          { pid: cell.pid },
        ),
      );
    }
    const { signal, timeoutMs = defaultCallTimeoutMs } = options;
    if (signal?.aborted === true) return reject(signal.reason);
    if (!sendUser(cell, new UserMessage(name, args, pending))) return reject(refusal(cell, name));
    const { system } = cell;
    const timer =
      timeoutMs === Infinity
        ? undefined
        : system.after(timeoutMs, () =>
            pending.settle(
              new SluiceError(
                "SLUICE_TIMEOUT",
                `${cell.pid} did not reply to ${name} in ${timeoutMs} ms`,
                { timeoutMs },
              ),
              undefined,
            ),
          );
    const onAbort =
      signal === undefined ? undefined : (): void => pending.settle(signal.reason, undefined);
    if (onAbort !== undefined) signal?.addEventListener("abort", onAbort);
    pending.cancel = () => {
      if (timer !== undefined) system.cancel(timer);
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    };
  });
}

/** One function per message of the class. */
function stubs(cell: Cell, make: (name: string) => (...args: unknown[]) => unknown): Stubs {
  const made: Record<string, (...args: unknown[]) => unknown> = {};
  for (const name of behaviourOf(cell.plan.process).messages) made[name] = make(name);
  return made;
}

class ResolvedRef implements ProcessRef {
  readonly cell: Cell;
  casts: Stubs | undefined = undefined;
  calls: Stubs | undefined = undefined;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get pid(): string {
    return this.cell.pid;
  }

  get address(): { readonly thread: number; readonly id: number } {
    const { cell } = this;
    if (cell.state !== State.dead) cell.table.addressed.set(cell.id, cell);
    return { thread: 0, id: cell.id };
  }

  get cast(): Stubs {
    const { cell } = this;
    return (this.casts ??= stubs(cell, (name) => (...args) => {
      if (!sendUser(cell, new UserMessage(name, args, undefined))) drop(cell, cell.table);
    }));
  }

  get call(): Stubs {
    return (this.calls ??= this.callWith({}));
  }

  callWith(options: CallOptions): Stubs {
    const { cell } = this;
    return stubs(
      cell,
      (name) =>
        (...args) =>
          call(cell, name, args, options),
    );
  }

  "~resolve"(): Cell {
    return this.cell;
  }

  toString(): string {
    return this.pid;
  }
}

/** The ref of a process. */
export function makeRef(cell: Cell): ProcessRef {
  return new ResolvedRef(cell);
}
