import { SluiceError, type Addressable, type ExitReason } from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { baseClass } from "./behaviour.ts";
import type { Cell } from "./cell.ts";
import type { OptionalArgument, OptionsOf } from "./child-spec.ts";
import type { AnyProcessClass } from "./plan.ts";
import { ownOf } from "./self.ts";
import type { Ref, Running } from "./target.ts";

/** What work is given to know when it is no longer wanted. */
export interface Context {
  /** Aborts on stop and kill, not on drain; made on the first read, so leave it unread where it is not needed. */
  get signal(): AbortSignal;
}

/** A process as seen from inside. Everything it does for the process ends with the process. */
export interface Self extends Context {
  /** The label and number of this process, unique in its system. */
  readonly pid: string;
  /** Runs `message` in the mailbox after `ms`. */
  after(ms: number, message: () => void | Promise<void>): Disposable;
  /** Runs `message` in the mailbox every `ms`; beats that come while one still waits are skipped, not collected. */
  every(ms: number, message: () => void | Promise<void>): Disposable;
  /**
   * Runs `message` when the callback in hand has ended, before anything that waits in the mailbox; several run in the
   * order in which they were asked for. From `init`: once the process is up, before its first message, so that whoever
   * starts it does not wait for it.
   */
  continue(message: () => void | Promise<void>): void;
  /** Runs `message` after everything buffered now (GenStage's async_info); in a process without a buffer, as the next message. */
  afterBuffered(message: () => void | Promise<void>): void;
  /**
   * Runs `work` beside the mailbox; `done` is a message. Its signal aborts when the process stops, or when the result is
   * disposed, after which `done` is not called. At most `maxTasks` (100) at once.
   * @throws SLUICE_TASKS_FULL
   */
  task<T>(
    work: (context: Context) => Promise<T>,
    done: (result: PromiseSettledResult<T>) => void | Promise<void>,
  ): Disposable;
  /** Starts a process whose end is this one's, and the other way round. @throws SLUICE_START_FAILED */
  startLinked<C extends AnyProcessClass>(
    process: C,
    ...options: OptionalArgument<OptionsOf<C>>
  ): Promise<Running<InstanceType<C>>>;
  /**
   * Runs `down` once, when the target is gone, after everything it has sent; nobody there: at once, with `"noproc"`.
   * Disposed, no down follows.
   */
  monitor(target: Addressable, down: (reason: ExitReason) => void | Promise<void>): Disposable;
  /**
   * Ties two lives: when one ends for any reason but `"normal"`, so does the other, unless it traps exits. Disposed, they
   * are two again, and no exit that waits in the mailbox is told.
   */
  link(target: Ref<unknown>): Disposable;
  /** From now on the ends of linked processes are messages for `handler`, `"normal"` included. */
  trapExits(handler: (from: Ref<unknown>, reason: ExitReason) => void | Promise<void>): void;
  /** Stops this process when the callback in hand has ended. Default reason `"normal"`. */
  stop(reason?: ExitReason): void;
}

/**
 * Base of every process: its public methods are its messages, its fields are its state. One message runs at a time, to
 * its end, also across `await`; whoever holds a ref or a name sends with `cast` or asks with `call`. A method that throws
 * ends the process; the caller's promise rejects with `SLUICE_EXITED`. Messages are neither overloaded nor generic.
 *
 * ```ts
 * import { Process, start } from "sluice";
 *
 * class Counter extends Process {
 *   #count = 0;
 *   add(n: number): number {
 *     return (this.#count += n);
 *   }
 * }
 * await using counter = await start(Counter);
 * counter.cast.add(1);
 * console.info(await counter.call.add(2));
 * ```
 */
export abstract class Process {
  /** This process from inside: signal, timers, tasks, monitors; there before field initialisers run. */
  declare protected readonly self: Self;
  /** The runtime's own. */
  declare readonly "~cell"?: unknown;

  constructor() {
    const cell = thread.making as Cell | undefined;
    // An object that a constructor makes on the way is no process.
    if (cell !== undefined && new.target === cell.plan.process)
      Object.defineProperty(this, "~cell", { value: cell });
  }

  /** Runs before any message; a rejection fails the start. */
  protected init?(): void | Promise<void>;
  /** Runs on a stop and after a crash of a callback, not on a kill; the signal is its own deadline (`shutdown` ms). */
  protected terminate?(reason: ExitReason, context: Context): void | Promise<void>;
  /** Gets what was sent with `info`; without it, an info is logged and dropped. */
  protected handleInfo?(message: unknown): void | Promise<void>;
}

baseClass(Process);
Object.defineProperty(Process.prototype, "self", {
  get(this: Process): unknown {
    return ownOf(cellOf(this));
  },
});

/** The engine behind an instance that the runtime made. @throws SLUICE_OUTSIDE_PROCESS */
export function cellOf(process: object): Cell {
  const cell = (process as { "~cell"?: Cell })["~cell"];
  if (cell !== undefined) return cell;
  const what = process.constructor.name;
  const message = `${what} was made with new, not started: it has no self`;
  throw new SluiceError("SLUICE_OUTSIDE_PROCESS", message, { what });
}

/** The ref of a process from inside it: `refOf<Inbox>(this)`. @throws SLUICE_OUTSIDE_PROCESS */
export function refOf<P extends Process>(process: P): Ref<P> {
  return cellOf(process).ref as unknown as Ref<P>;
}
