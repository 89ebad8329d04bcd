import type { TimerEntry } from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import { closureMessage } from "./message.ts";
import type { Supervised } from "./supervised.ts";

/** A group of children whose start has to wait. What is started, stopped or put off again meanwhile is not of it any more. */
export class PutOff {
  readonly #supervisor: Cell;
  readonly #group: readonly Supervised[];
  readonly #go: (due: readonly Supervised[]) => unknown;
  #timer: TimerEntry<() => void> | undefined = undefined;
  #dueMs: number | undefined = undefined;

  constructor(
    supervisor: Cell,
    group: readonly Supervised[],
    go: (due: readonly Supervised[]) => unknown,
  ) {
    this.#supervisor = supervisor;
    this.#group = group;
    this.#go = go;
    for (const child of group) {
      dismiss(child);
      child.putOff = this;
    }
  }

  get #due(): readonly Supervised[] {
    return this.#group.filter(({ putOff }) => putOff === this);
  }

  /** Ms that are left, where it waits for a time. */
  get restInMs(): number | undefined {
    if (this.#dueMs === undefined) return undefined;
    return Math.max(0, this.#dueMs - this.#supervisor.system.runtime.now());
  }

  /** Goes on, as a message of the supervisor: other ends are heard first. */
  readonly now = (): void => {
    this.#supervisor.send(
      closureMessage(() => {
        const due = this.#due;
        return due.length > 0 ? this.#go(due) : undefined;
      }),
    );
  };

  /** Goes on after `ms`. */
  after(ms: number): void {
    const { system } = this.#supervisor;
    this.#dueMs = system.runtime.now() + ms;
    this.#timer = system.after(ms, this.now);
  }

  left(): void {
    if (this.#timer !== undefined && this.#due.length === 0)
      this.#supervisor.system.cancel(this.#timer);
  }
}

/** The child is not waited for any more. */
export function dismiss(child: Supervised): void {
  const { putOff } = child;
  child.putOff = undefined;
  putOff?.left();
}
