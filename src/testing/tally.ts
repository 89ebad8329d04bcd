import type { SimulationRun } from "./simulation-run.ts";

/** What a simulation did, over all its runs. */
export interface SimulationReport {
  /** Runs. */
  readonly seeds: number;
  /** Messages handled, and other turns of processes. */
  readonly steps: number;
  /** Events that went from stage to stage. */
  readonly events: number;
  /** Processes crashed on purpose. */
  readonly crashes: number;
  /** Mailboxes held up on purpose. */
  readonly slow: number;
  /** Times that the wall clock was set wrong. */
  readonly clockJumps: number;
  /** Children that supervisors started again, whatever the cause. */
  readonly restarts: number;
  /** Runs that differed from all others in what happened when. One: the seeds made no difference. */
  readonly traces: number;
  /** Two simulations with equal digests did the same, step by step. */
  readonly digest: string;
  /** All of this as a line for people, which says so when the runs prove little. */
  readonly summary: string;
}

const counters = { crash: "crashes", abort: "crashes", slow: "slow", jump: "clockJumps" } as const;

/** Adds up what runs did. */
export class Tally {
  readonly #sum = {
    seeds: 0,
    steps: 0,
    events: 0,
    crashes: 0,
    slow: 0,
    clockJumps: 0,
    restarts: 0,
  };
  readonly #traces: Set<number> = new Set();
  #digest = 0;

  add({ trace, ledger, schedule, restarts }: SimulationRun): void {
    const sum = this.#sum;
    sum.seeds++;
    sum.steps += trace.steps;
    sum.events += ledger.events;
    sum.restarts += restarts;
    for (const { kind } of schedule.faults) sum[counters[kind]]++;
    this.#traces.add(trace.digest);
    this.#digest = Math.imul(this.#digest ^ trace.digest, 0x01000193) >>> 0;
  }

  report(): SimulationReport {
    const traces = this.#traces.size;
    const digest = this.#digest.toString(16).padStart(8, "0");
    return { ...this.#sum, traces, digest, summary: this.#summary(traces) };
  }

  #summary(traces: number): string {
    const { seeds, steps, events, crashes, slow, clockJumps, restarts } = this.#sum;
    const counts = {
      seeds,
      "distinct traces": traces,
      steps,
      events,
      crashes,
      "slow callbacks": slow,
      "clock jumps": clockJumps,
      restarts,
    };
    const told = Object.entries(counts)
      .map(([what, count]) => `${count.toLocaleString("en")} ${what}`)
      .join(", ");
    if (steps === 0) return `${told}: no process ever ran, so this proves nothing`;
    if (seeds > 1 && traces === 1)
      return `${told}: every seed did the same, so this proves no more than one run`;
    return told;
  }
}
