import type { TimerEntry } from "../support/internal.ts";
import { closureMessage, type Cell, type Later, type Waits } from "../process/internal.ts";
import type { ChildSpec, Ref } from "../process/index.ts";
import type { EventChildInfo, TaskContext } from "./consumer-supervisor.ts";
import type { Intake } from "./intake.ts";

/** What few children need, for all of their tries together. */
export class WorkExtras {
  /** Who waits for its first start. */
  starting: Later<Ref<unknown>> | undefined = undefined;
  /** Its end is wanted. */
  leaving = false;
  /** Its own spec, where one is made for each event. */
  spec: ChildSpec<unknown> | undefined = undefined;
  /** The delays of its restarts. */
  waits: Waits | undefined = undefined;
  /** When the last restart began. */
  startedMs = 0;
}

/** One try of one event: what its child is told, and what the supervisor knows of it. */
export class Work implements TaskContext {
  readonly cell: Cell;
  /** Whose slot it takes; none, if it came in excess or was started by hand. */
  readonly intake: Intake | undefined;
  readonly event: unknown;
  /** When the event entered the pipeline; for the delivery layer. */
  readonly "~enteredMs": number;
  readonly attempt: number;
  more: WorkExtras | undefined;

  constructor(
    cell: Cell,
    intake: Intake | undefined,
    event: unknown,
    enteredMs: number,
    attempt: number,
    more: WorkExtras | undefined,
  ) {
    this.cell = cell;
    this.intake = intake;
    this.event = event;
    this["~enteredMs"] = enteredMs;
    this.attempt = attempt;
    this.more = more;
  }

  get signal(): AbortSignal {
    return this.cell.signal;
  }

  get extras(): WorkExtras {
    return (this.more ??= new WorkExtras());
  }

  get type(): "worker" | "supervisor" {
    return this.more?.spec?.type ?? "worker";
  }

  /** For people and dashboards; `restInMs` where it waits for a restart. */
  info(restInMs: number | undefined): EventChildInfo<unknown, unknown> {
    const { cell, event, attempt, type } = this;
    const waits = restInMs !== undefined;
    return {
      id: cell.plan.label,
      ref: cell.ref as unknown as Ref<unknown>,
      event,
      pid: waits ? undefined : cell.pid,
      state: waits ? "restarting" : "running",
      restarts: attempt - 1,
      restartInMs: restInMs,
      type,
      mailbox: cell.waiting,
    };
  }
}

/** A child whose restart has to wait. */
export class Postponed {
  readonly work: Work;
  readonly #supervisor: Cell;
  readonly #timer: TimerEntry<() => void>;
  readonly #dueMs: number;

  /** Calls `due` after `ms`, as a message of the supervisor. */
  constructor(supervisor: Cell, work: Work, ms: number, due: (postponed: Postponed) => void) {
    this.work = work;
    this.#supervisor = supervisor;
    this.#dueMs = supervisor.system.runtime.now() + ms;
    this.#timer = supervisor.system.after(ms, () =>
      supervisor.send(closureMessage(() => due(this))),
    );
  }

  get restInMs(): number {
    return Math.max(0, this.#dueMs - this.#supervisor.system.runtime.now());
  }

  cancel(): void {
    this.#supervisor.system.cancel(this.#timer);
  }
}
