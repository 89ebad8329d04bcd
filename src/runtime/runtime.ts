/** A wake-up that was asked for. */
export interface Alarm {
  /** Takes it back; harmless when it has rung. */
  cancel(): void;
  /** Whether it keeps the program alive, and a simulation going, until it has rung; at first it does. */
  hold(held: boolean): void;
}

/**
 * The one port to the outside world: time, turns, randomness. Everything in Sluice that waits, chooses or measures goes
 * through it, so that a simulation can put its own in place.
 */
export interface Runtime {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Milliseconds since 1970, for people and for what is signed, by other programs too; nothing else is decided by it. */
  wallNow(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** Runs `run` as soon as the JavaScript at hand has ended, before timers and sockets. */
  soon(run: () => void): void;
  /** Runs `run` after timers and sockets had their turn. */
  turn(run: () => void): void;
  /** Rings once, not before `ms` have passed. */
  alarm(ms: number, ring: () => void): Alarm;
  /** Which of `count` ready processes runs next; absent: first come, first served. */
  readonly pick?: (count: number) => number;
  /** Time is virtual and chance is seeded: real I/O has no place here. */
  readonly simulated: boolean;
}
