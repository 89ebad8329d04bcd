import type { Alarm, Runtime } from "../runtime/internal.ts";
import { Alarms } from "./alarms.ts";
import { seededRandom } from "./seeded-random.ts";
import type { Schedule } from "./schedule.ts";

/** When virtual time begins, for wall clocks: a round number that nobody takes for today. */
const epochMs = Date.UTC(2020, 0, 1);

/** The Runtime of a simulation: time passes only when nothing else can happen, chance follows from the seed. */
export class SimulatedRuntime implements Runtime {
  readonly simulated = true;
  readonly random: () => number;
  /** What was asked to run in a turn of its own. */
  readonly turns: (() => void)[] = [];
  readonly alarms: Alarms = new Alarms();
  /** How far the wall clock is off. */
  wallOffMs = 0;
  /** The last choice: who of how many. */
  chosen = 0;
  ready = 0;
  readonly #schedule: Schedule;

  constructor(seed: number, schedule: Schedule) {
    this.random = seededRandom(seed ^ 0x2545f491);
    this.#schedule = schedule;
  }

  now(): number {
    return this.alarms.nowMs;
  }

  wallNow(): number {
    return epochMs + this.alarms.nowMs + this.wallOffMs;
  }

  soon(run: () => void): void {
    this.turns.push(run);
  }

  turn(run: () => void): void {
    this.turns.push(run);
  }

  alarm(ms: number, ring: () => void): Alarm {
    return this.alarms.set(ms, ring);
  }

  pick(count: number): number {
    this.ready = count;
    return (this.chosen = this.#schedule.pick(count));
  }
}
