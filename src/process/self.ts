import {
  SluiceError,
  invalidOption,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import { abortReason } from "./abort.ts";
import { State, type Cell } from "./cell.ts";
import { ClosureMessage } from "./message.ts";
import type { AnyProcessClass } from "./plan.ts";
import { running, spawn } from "./start.ts";
import { planOf } from "./child-spec.ts";
import { monitor } from "./monitor.ts";

/** What can be taken back: once, harmlessly twice. */
interface Open extends Disposable {
  /** The process is gone. */
  close(reason: ExitReason): void;
}

class TaskContext {
  controller: AbortController | undefined = undefined;
  over: ExitReason | undefined = undefined;

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.over !== undefined) this.controller.abort(abortReason(this.over));
    }
    return this.controller.signal;
  }

  end(reason: ExitReason): void {
    this.over = reason;
    if (this.controller !== undefined && !this.controller.signal.aborted)
      this.controller.abort(abortReason(reason));
  }
}

function checkDelay(option: string, ms: number): void {
  if (typeof ms !== "number" || !(ms >= 0) || ms === Infinity)
    throw invalidOption(option, ms, "milliseconds, 0 or more");
}

/** A process from inside: what `this.self` is. Made when it is first read. */
export class Own {
  readonly cell: Cell;
  /** Timers and tasks that have not ended. */
  readonly open: Set<Open> = new Set();
  readonly tasks: Set<TaskContext> = new Set();

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get pid(): string {
    return this.cell.pid;
  }

  get signal(): AbortSignal {
    return this.cell.signal;
  }

  after(ms: number, message: () => unknown): Disposable {
    checkDelay("after: ms", ms);
    const { cell, open } = this;
    let live = true;
    const entry = cell.system.after(ms, () =>
      cell.send(
        new ClosureMessage(() => {
          open.delete(timer);
          if (!live) return undefined;
          live = false;
          return message();
        }),
      ),
    );
    const close = (): void => {
      live = false;
      cell.system.cancel(entry);
      open.delete(timer);
    };
    const timer: Open = { close, [Symbol.dispose]: close };
    open.add(timer);
    return timer;
  }

  every(ms: number, message: () => unknown): Disposable {
    checkDelay("every: ms", ms);
    if (ms === 0) throw invalidOption("every: ms", ms, "milliseconds, more than 0");
    const { cell, open } = this;
    let live = true;
    let due = cell.system.runtime.now() + ms;
    // The next beat is set when this one is handled: a busy process skips beats, it does not collect them.
    const beat = (): unknown => {
      if (!live) return undefined;
      const now = cell.system.runtime.now();
      due = Math.max(due + ms, now);
      entry = cell.system.after(due - now, ring);
      return message();
    };
    const ring = (): void => cell.send(new ClosureMessage(beat));
    let entry = cell.system.after(ms, ring);
    const close = (): void => {
      live = false;
      cell.system.cancel(entry);
      open.delete(timer);
    };
    const timer: Open = { close, [Symbol.dispose]: close };
    open.add(timer);
    return timer;
  }

  afterBuffered(message: () => unknown): void {
    const { engine } = this.cell;
    if (engine?.afterBuffered === undefined) this.cell.send(new ClosureMessage(message));
    else engine.afterBuffered(message);
  }

  task<T>(
    work: (context: { readonly signal: AbortSignal }) => Promise<T>,
    done: (result: PromiseSettledResult<T>) => unknown,
  ): Disposable {
    const { cell, open } = this;
    const limit = cell.plan.maxTasks;
    if (this.tasks.size >= limit) {
      throw new SluiceError(
        "SLUICE_TASKS_FULL",
        `${limit} tasks of ${cell.pid} run: no room for one more`,
        { pid: cell.pid, limit },
      );
    }
    const context = new TaskContext();
    this.tasks.add(context);
    let live = true;
    const end = (): void => {
      this.tasks.delete(context);
      open.delete(task);
    };
    const tell = (result: PromiseSettledResult<T>): void => {
      if (cell.state === State.dead || !open.has(task)) return;
      cell.send(
        new ClosureMessage(() => {
          if (!live) return undefined;
          live = false;
          end();
          return done(result);
        }),
      );
    };
    const close = (reason: ExitReason): void => {
      if (!live) return;
      live = false;
      end();
      context.end(reason);
    };
    const task: Open = { close, [Symbol.dispose]: () => close("normal") };
    open.add(task);
    // An async function turns a throw of `work` into the rejection that `done` is told of.
    (async () => work(context))().then(
      (value) => tell({ status: "fulfilled", value }),
      (reason: unknown) => tell({ status: "rejected", reason }),
    );
    return task;
  }

  async startLinked(process: AnyProcessClass, options: object = {}): Promise<unknown> {
    const { cell } = this;
    const child = await spawn(cell.system, planOf(process, options), cell);
    return running(child);
  }

  monitor(target: Addressable, down: (reason: ExitReason) => unknown): Disposable {
    return monitor(this.cell, target, (reason) => new ClosureMessage(() => down(reason)));
  }

  link(target: Addressable): void {
    const other = target["~resolve"]() as Cell | undefined;
    const { cell } = this;
    if (other === cell) return;
    if (other === undefined || other.state === State.dead) {
      cell.exitSignal(other ?? cell, "noproc");
      return;
    }
    (cell.extras.links ??= new Set()).add(other);
    (other.extras.links ??= new Set()).add(cell);
  }

  trapExits(handler: (from: unknown, reason: ExitReason) => unknown): void {
    this.cell.extras.trap = (from, reason) => handler(from.ref, reason);
  }

  stop(reason: ExitReason = "normal"): void {
    this.cell.stop(reason);
  }

  /** The process is stopping: what runs beside the mailbox is told. */
  abort(reason: ExitReason): void {
    for (const context of this.tasks) context.end(reason);
  }

  /** The process is gone. */
  release(): void {
    for (const open of [...this.open]) open.close("killed");
    this.open.clear();
  }
}
