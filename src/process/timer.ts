import type { TimerEntry } from "../support/internal.ts";
import { closureMessage } from "./message.ts";
import type { Open, Own } from "./self.ts";

/** A message of a process to itself that comes later: once, or with `everyMs` again and again. */
export class Timer implements Open {
  readonly own: Own;
  readonly message: () => unknown;
  readonly everyMs: number | undefined;
  dueMs: number;
  entry: TimerEntry<() => void>;
  live = true;

  constructor(own: Own, ms: number, message: () => unknown, everyMs: number | undefined) {
    this.own = own;
    this.message = message;
    this.everyMs = everyMs;
    const { system } = own.cell;
    this.dueMs = system.runtime.now() + ms;
    this.entry = system.after(ms, this.ring);
  }

  readonly ring = (): void => this.own.cell.send(closureMessage(this.beat));

  readonly beat = (): unknown => {
    if (!this.live) return undefined;
    if (this.everyMs === undefined) this.close();
    else this.rearm(this.everyMs);
    return this.message();
  };

  /** Only now: a busy process skips beats, it does not collect them. The next one keeps the rhythm. */
  rearm(everyMs: number): void {
    const { system } = this.own.cell;
    const now = system.runtime.now();
    this.dueMs += everyMs * Math.max(Math.floor((now - this.dueMs) / everyMs) + 1, 1);
    this.entry = system.after(this.dueMs - now, this.ring);
  }

  close(): void {
    if (!this.live) return;
    this.live = false;
    this.own.cell.system.cancel(this.entry);
    this.own.closed(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
