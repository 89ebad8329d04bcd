import type { Alarm, Runtime } from "../runtime/internal.ts";
import { seededRandom } from "./seeded-random.ts";

interface Pending {
  readonly atMs: number;
  readonly ring: () => void;
}

/** When a simulation begins, for wall clocks: a round number that nobody takes for today. */
const epochMs = Date.UTC(2020, 0, 1);

/** The Runtime of a simulation: time passes only when nothing else can happen, chance follows from the seed. */
export class SimulatedRuntime implements Runtime {
  readonly simulated = true;
  readonly random: () => number;
  /** What was asked to run in a turn of its own. */
  readonly turns: (() => void)[] = [];
  readonly alarms: Set<Pending> = new Set();
  elapsedMs = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  now(): number {
    return this.elapsedMs;
  }

  wallNow(): number {
    return epochMs + this.elapsedMs;
  }

  soon(run: () => void): void {
    this.turns.push(run);
  }

  turn(run: () => void): void {
    this.turns.push(run);
  }

  alarm(ms: number, ring: () => void): Alarm {
    const pending = { atMs: this.elapsedMs + Math.max(ms, 0), ring };
    this.alarms.add(pending);
    return {
      cancel: () => void this.alarms.delete(pending),
      hold: (held) => void (held ? this.alarms.add(pending) : this.alarms.delete(pending)),
    };
  }

  pick(count: number): number {
    return count === 1 ? 0 : Math.floor(this.random() * count);
  }

  /** Lets time pass until the next alarm; false when there is none. */
  ring(): boolean {
    let next: Pending | undefined;
    for (const alarm of this.alarms) if (next === undefined || alarm.atMs < next.atMs) next = alarm;
    if (next === undefined) return false;
    this.alarms.delete(next);
    this.elapsedMs = Math.max(this.elapsedMs, next.atMs);
    next.ring();
    return true;
  }
}
