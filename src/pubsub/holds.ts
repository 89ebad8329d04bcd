import type { System } from "../runtime/internal.ts";
import type { TimerEntry } from "../support/internal.ts";

/** One topic that this node hears, as far as the broker has confirmed it. */
export class Hold {
  readonly topic: string;
  isConfirmed = false;
  /** Why the broker will not have it. */
  refusal: { readonly error: unknown } | undefined = undefined;
  /** Somebody went on without it. */
  isLate = false;
  waiting: PromiseWithResolvers<void> | undefined = undefined;
  timer: TimerEntry<() => void> | undefined = undefined;

  constructor(topic: string) {
    this.topic = topic;
  }
}

/** The topics that a node hears, and who waits until the broker knows. */
export class Holds {
  readonly #system: System;
  readonly #confirmMs: number;
  readonly #holds: Map<string, Hold> = new Map();

  constructor(system: System, confirmMs: number) {
    this.#system = system;
    this.#confirmMs = confirmMs;
  }

  get size(): number {
    return this.#holds.size;
  }

  /** Those whose subscription is not confirmed. */
  get open(): readonly Hold[] {
    return [...this.#holds.values()].filter(
      ({ isConfirmed, refusal }) => !isConfirmed && refusal === undefined,
    );
  }

  add(topic: string): void {
    this.#holds.set(topic, new Hold(topic));
  }

  /** Nobody waits for it any more. */
  delete(topic: string): void {
    const hold = this.#holds.get(topic);
    this.#holds.delete(topic);
    if (hold !== undefined) this.#settle(hold);
  }

  /** The present holds of these topics: what is confirmed later is theirs, not that of holds which follow them. */
  of(topics: Iterable<string>): readonly Hold[] {
    return [...topics].flatMap((topic) => this.#holds.get(topic) ?? []);
  }

  /** Those of them that somebody still wants. */
  wanted(holds: readonly Hold[]): readonly Hold[] {
    return holds.filter((hold) => this.#holds.get(hold.topic) === hold);
  }

  /** The broker has confirmed them; true if somebody went on without one. */
  confirm(holds: readonly Hold[]): boolean {
    let isLate = false;
    for (const hold of holds) {
      isLate ||= hold.isLate;
      hold.isConfirmed = true;
      hold.isLate = false;
      this.#settle(hold);
    }
    return isLate;
  }

  /** The broker does not want them. */
  refuse(holds: readonly Hold[], error: unknown): void {
    for (const hold of holds) {
      hold.refusal = { error };
      this.#settle(hold);
    }
  }

  /** The connection is lost: nobody waits, all are to be made again. */
  reset(): void {
    for (const hold of this.#holds.values()) {
      hold.isConfirmed = false;
      hold.isLate = false;
      hold.refusal = undefined;
      this.#settle(hold);
    }
  }

  /** Resolves when the topic is confirmed, or after a bound. */
  wait(topic: string): Promise<void> | undefined {
    const hold = this.#holds.get(topic);
    if (hold === undefined || hold.isConfirmed) return undefined;
    if (hold.refusal !== undefined) return Promise.reject(hold.refusal.error);
    if (hold.waiting === undefined) {
      hold.waiting = Promise.withResolvers();
      hold.timer = this.#system.after(this.#confirmMs, () => {
        hold.isLate = true;
        this.#settle(hold);
      });
    }
    return hold.waiting.promise;
  }

  #settle(hold: Hold): void {
    const { waiting, timer, refusal } = hold;
    if (waiting === undefined) return;
    hold.waiting = undefined;
    if (timer !== undefined) this.#system.cancel(timer);
    if (refusal === undefined) waiting.resolve();
    else waiting.reject(refusal.error);
  }
}
