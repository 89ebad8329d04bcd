import { SluiceError, describe } from "../support/internal.ts";
import { System, thread, type Runnable } from "../runtime/internal.ts";
import { State, interrupts, processes, type Cell } from "../process/internal.ts";
import { leftBehind, sleep, systemTurn } from "../process/internal.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";
import { StepTrace } from "./step-trace.ts";
import { virtualGlobals } from "./virtual-globals.ts";
import { WindowInvariant } from "./window-invariant.ts";

/** What goes wrong on purpose: probabilities per message. */
export interface Faults {
  /**
   * A process that has a supervisor crashes instead of handling a message, which is lost, or, if it is one function,
   * instead of beginning or going on with it; from 0 to 1.
   */
  readonly crash?: number;
  /** A process holds its mailbox, up to `maxMs` of virtual time. */
  readonly slow?: { readonly probability: number; readonly maxMs: number };
}

/** One run of a program under virtual time. Its members are functions that may be taken out of it. */
export interface Simulation {
  /** What this run follows from. */
  readonly seed: number;
  /** Chance that follows from the seed, from 0 to 1. */
  readonly random: () => number;
  /** Lets virtual time pass. */
  readonly advance: (ms: number) => Promise<void>;
  /** Resolves when nothing can run before the next timer. */
  readonly quiet: () => Promise<void>;
  /**
   * Imports a module that is a program, `load(() => import("./program.ts"))`, and resolves when it has been evaluated, as
   * a program that waits for `run` is when its tree has ended. Nothing else happens until its first process is there.
   */
  readonly load: (program: () => Promise<unknown>) => Promise<void>;
  /** Asks the program to end, as SIGTERM does. */
  readonly interrupt: () => void;
  /** No faults from now on: lets a program come to rest. */
  readonly calm: () => void;
  /** Holds after every step, beside the built-in invariants. */
  readonly always: (invariant: string, holds: () => boolean) => void;
}

/** How to simulate. */
export interface SimulateOptions {
  /** How many, from 1; or exactly these, to replay a failure. */
  readonly seeds: number | readonly number[];
  /** What goes wrong on purpose; default nothing. */
  readonly faults?: Faults;
  /** Steps of one run at most, beyond which it counts as stuck; default 1,000,000. */
  readonly maxSteps?: number;
}

/** What a simulation did. */
export interface SimulationReport {
  /** Runs. */
  readonly seeds: number;
  /** Messages handled in all runs. */
  readonly steps: number;
  /** Two simulations with equal digests did the same, step by step. */
  readonly digest: string;
}

const defaultMaxSteps = 1_000_000;
/** The real one: the globals may be virtual when it is used. */
const macrotask = globalThis.setImmediate;
const settle = (): Promise<void> => new Promise((resolve) => macrotask(resolve));

class Run implements Simulation {
  readonly seed: number;
  readonly runtime: SimulatedRuntime;
  readonly system: System;
  readonly trace = new StepTrace();
  readonly #window = new WindowInvariant();
  readonly #invariants: { readonly name: string; readonly holds: () => boolean }[] = [];
  readonly #quiet: (() => void)[] = [];
  readonly #maxSteps: number;
  #faults: Faults;
  /** A program is being imported and has no process yet. */
  #loading = false;

  constructor(seed: number, { faults = {}, maxSteps = defaultMaxSteps }: SimulateOptions) {
    this.seed = seed;
    this.#faults = faults;
    this.#maxSteps = maxSteps;
    this.runtime = new SimulatedRuntime(seed);
    this.system = new System(this.runtime);
    this.system.queue.onStep = (process) => this.#step(process);
    this.system.get(processes).wire = this.#window.see;
  }

  readonly random = (): number => this.runtime.random();
  readonly advance = (ms: number): Promise<void> => sleep(ms);
  readonly quiet = (): Promise<void> => new Promise((resolve) => this.#quiet.push(resolve));
  readonly load = async (program: () => Promise<unknown>): Promise<void> => {
    this.#loading = true;
    try {
      await program();
    } finally {
      this.#loading = false;
    }
  };
  readonly interrupt = (): void => {
    for (const listener of this.system.get(interrupts)) listener();
  };
  readonly calm = (): void => {
    this.#faults = {};
  };
  readonly always = (name: string, holds: () => boolean): void => {
    this.#invariants.push({ name, holds });
  };

  #step(process: Runnable): void {
    const cell = process as Cell;
    this.trace.add(cell, this.runtime.elapsedMs);
    const { crash = 0, slow } = this.#faults;
    if (cell.parent === undefined || cell.engine?.role === "supervisor") return;
    // A process that is one function has no messages: its turns stand for them.
    if (cell.head === undefined && cell.plan.work === undefined) return;
    // A tree that fails while it starts does not start: faults begin when it is up.
    if (cell.parent.state !== State.running) return;
    if (crash > 0 && this.random() < crash) cell.kill({ crash: new Error("a simulated crash") });
    else if (slow === undefined || cell.busy || cell.state !== State.running) return;
    else if (this.random() < slow.probability) cell.hold(sleep(this.random() * slow.maxMs));
  }

  /** The invariant that does not hold now. */
  broken(): string | undefined {
    return this.#window.violation ?? this.#invariants.find(({ holds }) => !holds())?.name;
  }

  async program(body: (simulation: Simulation) => void | Promise<void>): Promise<void> {
    let over = false;
    let failure: { readonly error: unknown } | undefined;
    (async () => body(this))().then(
      () => (over = true),
      (error: unknown) => {
        over = true;
        failure = { error };
      },
    );
    for (;;) {
      await settle();
      const broken = this.broken();
      if (broken !== undefined) throw this.failed(broken, undefined);
      if (failure !== undefined) throw this.failed(describe(failure.error), failure.error);
      if (over) break;
      if (this.trace.steps > this.#maxSteps)
        throw this.failed(`it ends within ${this.#maxSteps} steps`, undefined);
      // Files are read in real time.
      if (this.#loading && this.system.get(processes).count === 0) continue;
      this.#loading = false;
      if (!this.advanceOnce())
        throw this.failed(
          "the program goes on: nothing is left that could run, and it waits",
          undefined,
        );
    }
    const left = leftBehind(this.system);
    if (left !== undefined) throw this.failed(left.message, left);
  }

  /** One step, else quiet, else the next timer. */
  advanceOnce(): boolean {
    const turn = this.runtime.turns.shift();
    if (turn !== undefined) {
      turn();
      return true;
    }
    if (this.system.queue.step()) return true;
    const waiting = this.#quiet.splice(0);
    for (const resolve of waiting) resolve();
    return waiting.length > 0 || this.runtime.ring();
  }

  failed(invariant: string, cause: unknown): SluiceError<"SLUICE_SIMULATION_FAILED"> {
    const { seed, trace } = this;
    const lines = trace.last.slice(-40).map((line) => `  ${line}`);
    const message = `seed ${seed} breaks: ${invariant} (replay it with { seeds: [${seed}] }); the last steps:\n${lines.join("\n")}`;
    return new SluiceError(
      "SLUICE_SIMULATION_FAILED",
      message,
      { seed, invariant, trace: trace.last },
      { cause },
    );
  }
}

/**
 * Runs a program once per seed, in a system of its own, under virtual time: the seed chooses which process runs next and
 * what fails, so that a failure is replayed by its seed. Time passes when nothing else can happen. After every step it
 * checks that no stage gets more than it asked for, and what the program says with `always`; at the end, that no
 * process, timer or name is left. The host's timers, clocks and chance are virtual meanwhile; endpoints are reached in
 * memory; other real I/O has no place in it.
 *
 * ```ts
 * import { child, consumer, from, name, startSupervisor, type Producer } from "sluice";
 * import { simulate } from "sluice/testing";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const report = await simulate(async ({ quiet }) => {
 *   let sum = 0;
 *   const add = consumer((events: readonly number[]) => events.forEach((n) => (sum += n)));
 *   await using app = await startSupervisor({
 *     strategy: "rest_for_one",
 *     children: {
 *       numbers: child(from(() => [1, 2, 3]), { name: numbers, restart: "transient" }),
 *       add: child(add, { restart: "transient", subscribeTo: [{ to: numbers, cancel: "temporary" }] }),
 *     },
 *   });
 *   await quiet();
 *   if (sum !== 6) throw new Error(`the sum is ${sum} in ${app.pid}`);
 * }, { seeds: 20 });
 * console.info(report.seeds);
 * ```
 * @throws SLUICE_SIMULATION_FAILED as a rejection, with the seed and its last steps
 */
export async function simulate(
  program: (simulation: Simulation) => void | Promise<void>,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const { seeds } = options;
  const list =
    typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index + 1) : seeds;
  let steps = 0;
  let digest = 0;
  for (const seed of list) {
    await systemTurn(async () => {
      const run = new Run(seed, options);
      const before = thread.system;
      thread.system = run.system;
      const globals = virtualGlobals(run.system);
      try {
        await run.program(program);
      } finally {
        globals[Symbol.dispose]();
        thread.system = before;
      }
      steps += run.trace.steps;
      digest = Math.imul(digest ^ run.trace.digest, 0x01000193) >>> 0;
    });
  }
  return { seeds: list.length, steps, digest: digest.toString(16).padStart(8, "0") };
}
