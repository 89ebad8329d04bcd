import type { Alarm } from "../runtime/internal.ts";

interface Pending {
  readonly atMs: number;
  readonly ring: () => void;
  /** It has rung, or was taken back. */
  over: boolean;
}

/** Time that passes only when it is told to, and what waits for it: a pure value. */
export class Alarms {
  nowMs = 0;
  readonly #pending: Set<Pending> = new Set();

  set(ms: number, ring: () => void): Alarm {
    const pending: Pending = { atMs: this.nowMs + Math.max(ms, 0), ring, over: false };
    this.#pending.add(pending);
    return {
      cancel: () => {
        pending.over = true;
        this.#pending.delete(pending);
      },
      hold: (held) => {
        if (held && !pending.over) this.#pending.add(pending);
        else this.#pending.delete(pending);
      },
    };
  }

  /** Lets time pass until the next alarm, which rings; false when there is none, or none by `untilMs`. */
  ring(untilMs: number = Infinity): boolean {
    let next: Pending | undefined;
    for (const alarm of this.#pending)
      if (next === undefined || alarm.atMs < next.atMs) next = alarm;
    if (next === undefined || next.atMs > untilMs) return false;
    next.over = true;
    this.#pending.delete(next);
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.ring();
    return true;
  }
}
