import {
  SluiceError,
  invalidOption,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import { cellAt, checkMs } from "./check.ts";
import { link, unlink } from "./link.ts";
import { type ClosureMessage, closureMessage } from "./message.ts";
import { watch } from "./monitor.ts";
import { OwnTask } from "./own-task.ts";
import { planOf, type AnyProcessClass } from "./plan.ts";
import { running } from "./running.ts";
import { spawn } from "./spawn.ts";
import { State } from "./state.ts";
import { Timer } from "./timer.ts";

/** What a process has running, until it is disposed or the process is gone. */
export interface Open extends Disposable {
  /** The process stops: what runs is told. */
  abort?(reason: ExitReason): void;
  /** The process is gone, or it was disposed. */
  close(reason: ExitReason): void;
}

const nothing: Disposable = { [Symbol.dispose](): void {} };

/**
 * A process from inside: what `this.self` is; made when it is first read. The callback of a killed process runs on: what
 * it still asks for here is not done.
 */
export class Own {
  readonly cell: Cell;
  open: Set<Open> | undefined = undefined;
  /** Tasks whose work has not ended, disposed ones included. */
  tasks = 0;
  /** Tasks whose `done` has not been called, and will be. */
  wanted = 0;
  /** Tasks that are over. */
  tasksEnded = 0;
  /** Who waits until no task is wanted any more. */
  #waiting: (() => void)[] | undefined = undefined;
  /** The last of what is to run before anything that waits in the mailbox. */
  continuation: ClosureMessage | undefined = undefined;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get pid(): string {
    return this.cell.pid;
  }

  get signal(): AbortSignal {
    return this.cell.signal;
  }

  get dead(): boolean {
    return this.cell.state === State.dead;
  }

  after(ms: number, message: () => unknown): Disposable {
    checkMs("after: ms", ms, false);
    return this.dead ? nothing : this.opened(new Timer(this, ms, message, undefined));
  }

  every(ms: number, message: () => unknown): Disposable {
    checkMs("every: ms", ms, false);
    if (ms === 0) throw invalidOption("every: ms", ms, "milliseconds, more than 0");
    return this.dead ? nothing : this.opened(new Timer(this, ms, message, ms));
  }

  continue(message: () => unknown): void {
    const { cell } = this;
    if (this.dead) return;
    const next = closureMessage(() => {
      if (this.continuation === next) this.continuation = undefined;
      return message();
    });
    cell.sendFirst(next, this.continuation);
    this.continuation = next;
  }

  afterBuffered(message: () => unknown): void {
    const { cell } = this;
    if (cell.engine?.afterBuffered === undefined) cell.send(closureMessage(message));
    else if (!this.dead) cell.engine.afterBuffered(message);
  }

  task<T>(
    work: (context: { readonly signal: AbortSignal }) => Promise<T>,
    done: (result: PromiseSettledResult<T>) => unknown,
  ): Disposable {
    if (this.dead) return nothing;
    const { pid } = this;
    const limit = this.cell.plan.maxTasks;
    if (this.tasks >= limit) {
      const message = `${limit} tasks of ${pid} run: no room for one more`;
      throw new SluiceError("SLUICE_TASKS_FULL", message, { pid, limit });
    }
    this.tasks++;
    this.wanted++;
    return this.opened(new OwnTask(this, work, done));
  }

  async startLinked(process: AnyProcessClass, options: object = {}): Promise<unknown> {
    const { cell } = this;
    const plan = planOf(process, options);
    return running(await spawn(cell.system, plan, cell, { up: (child) => link(cell, child) }));
  }

  monitor(target: Addressable, down: (reason: ExitReason) => unknown): Disposable {
    if (this.dead) return nothing;
    let live = true;
    const watched = watch(this.cell, cellAt(target), (reason) =>
      closureMessage(() => (live ? down(reason) : undefined)),
    );
    return {
      [Symbol.dispose](): void {
        // The down may be in the mailbox already.
        live = false;
        watched[Symbol.dispose]();
      },
    };
  }

  link(target: Addressable): Disposable {
    const { cell } = this;
    const other = cellAt(target);
    if (other === undefined || other === cell || this.dead) return nothing;
    if (other.state === State.dead) cell.exitSignal(other, "noproc");
    else link(cell, other);
    return { [Symbol.dispose]: () => unlink(cell, other) };
  }

  trapExits(handler: (from: unknown, reason: ExitReason) => unknown): void {
    this.cell.extras.trap = (from, reason) => handler(from.ref, reason);
  }

  stop(reason: ExitReason = "normal"): void {
    this.cell.stop(reason);
  }

  opened(open: Open): Open {
    (this.open ??= new Set()).add(open);
    return open;
  }

  /** The work of a task has ended, whoever still wants to know: only then is its place free. */
  taskSettled(): void {
    this.tasks--;
  }

  /** It runs no more. */
  closed(open: Open): void {
    this.open?.delete(open);
    if (!(open instanceof OwnTask)) return;
    this.wanted--;
    this.tasksEnded++;
    if (this.#waiting === undefined || this.wanted > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = undefined;
  }

  /** Settles when no task is wanted any more; at once (`undefined`) where none is. */
  tasksOver(): Promise<void> | undefined {
    if (this.wanted === 0) return undefined;
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The process is stopping: what runs beside the mailbox is told. */
  abort(reason: ExitReason): void {
    if (this.open !== undefined) for (const open of this.open) open.abort?.(reason);
  }

  /** The process is gone. */
  release(reason: ExitReason): void {
    if (this.open !== undefined) for (const open of this.open) open.close(reason);
  }
}

/** A process from inside. */
export function ownOf(cell: Cell): Own {
  return (cell.extras.own ??= new Own(cell));
}
