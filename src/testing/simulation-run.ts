import { describe } from "../support/internal.ts";
import { System, thread, type Runnable } from "../runtime/internal.ts";
import { State, interrupts, leftBehind, processes, sleep, type Cell } from "../process/internal.ts";
import { attach, type TelemetryEvents } from "../telemetry/index.ts";
import { Ledger } from "./ledger.ts";
import { OneCallback } from "./one-callback.ts";
import { Schedule, type Fault, type Odds, type Script } from "./schedule.ts";
import { Senders } from "./senders.ts";
import type { Faults, Simulation, SimulateOptions } from "./simulate.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";
import { StepTrace } from "./step-trace.ts";
import { virtualGlobals } from "./virtual-globals.ts";
import { WindowInvariant } from "./window-invariant.ts";

const defaultMaxSteps = 1_000_000;
/** A run that has failed may go on for so long, to end what it holds. */
const stepsToUnwind = 5_000;
/** The wall clock jumps before one message of so many. */
const messagesPerJump = 20;
/** The real one: the globals may be virtual when it is used. */
const macrotask = globalThis.setImmediate;
const settle = (): Promise<void> => new Promise((resolve) => macrotask(resolve));

/** Why a run failed, and what had happened by then. */
export interface Failure {
  readonly invariant: string;
  readonly cause: unknown;
  readonly trace: readonly string[];
  readonly steps: number;
  readonly script: Script;
}

/** One run of a program under virtual time, in a system of its own. */
export class SimulationRun implements Simulation {
  readonly seed: number;
  readonly trace: StepTrace = new StepTrace();
  readonly ledger: Ledger = new Ledger();
  restarts = 0;
  readonly schedule: Schedule;
  readonly runtime: SimulatedRuntime;
  readonly system: System;
  readonly #window = new WindowInvariant();
  readonly #oneCallback = new OneCallback();
  readonly #invariants: { readonly name: string; readonly holds: () => boolean }[] = [];
  readonly #quiet: PromiseWithResolvers<void>[] = [];
  readonly #maxSteps: number;
  /** Aborts what the program waits for, when the run has failed. */
  readonly #over = new AbortController();
  #faults: Faults;
  /** Processes that wait because they were made to. */
  readonly #slowed: WeakSet<Cell> = new WeakSet();
  /** What goes wrong on purpose floods the log: it stands in the trace, where it is read when the run fails. */
  readonly #mutesLog: boolean;
  /** A program is being imported and has no process yet. */
  #loading = false;

  constructor(
    seed: number,
    { faults = {}, maxSteps = defaultMaxSteps }: SimulateOptions,
    script?: Script,
  ) {
    this.seed = seed;
    this.#faults = faults;
    this.#mutesLog = Object.keys(faults).length > 0;
    this.#maxSteps = maxSteps;
    this.schedule = new Schedule(seed, script);
    this.runtime = new SimulatedRuntime(seed, this.schedule);
    this.system = new System(this.runtime);
    this.system.queue.onStep = (process) => this.#step(process as Runnable & Cell);
    const { addressed } = this.system.get(processes);
    this.system.get(processes).wire = (message) => {
      this.ledger.see(message, (address) => addressed.get(address));
      return this.#window.see(message);
    };
  }

  readonly random = (): number => this.runtime.random();
  readonly advance = (ms: number): Promise<void> => sleep(ms, this.#over.signal);
  readonly quiet = async (): Promise<void> => {
    this.#over.signal.throwIfAborted();
    const waiting = Promise.withResolvers<void>();
    this.#quiet.push(waiting);
    await waiting.promise;
  };
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

  readonly #logged = ({ level, message }: TelemetryEvents["sluice.log"]): void => {
    if (level === "warning" || level === "error")
      this.trace.logged(this.runtime.now(), level, message);
  };

  #step(cell: Cell): void {
    const wrong = this.#wrong(cell);
    this.trace.add(cell, this.runtime.now(), wrong, this.runtime.chosen, this.runtime.ready);
    this.#oneCallback.before(cell);
    for (const fault of wrong) this.#harm(cell, fault);
  }

  /** What goes wrong with this step: with the callback that ends, and with the message that comes next. */
  #wrong(cell: Cell): readonly Fault[] {
    const { head, busy, settled, plan } = cell;
    // A process that is one function has no messages: its beginning stands for them.
    const begins = head === undefined && plan.work !== undefined && cell.state === State.starting;
    const wrong: Fault[] = [];
    const slowed = settled !== undefined && this.#slowed.delete(cell);
    if (settled !== undefined && !slowed)
      wrong.push(...this.schedule.faultsOf(plan.label, "end", this.#odds(cell, "end")));
    // After a wait it was decided before that.
    const isNext = head !== undefined && !slowed && (!busy || settled !== undefined);
    if (wrong.length > 0 || !(isNext || begins)) return wrong;
    return this.schedule.faultsOf(plan.label, "message", this.#odds(cell, "message"));
  }

  #odds(cell: Cell, occasion: "message" | "end"): Odds {
    const { crash = 0, slow, clockJumpMs = 0 } = this.#faults;
    // A tree that fails while it starts does not start: faults begin when it is up.
    const spared = cell.engine?.role === "supervisor" || cell.parent?.state !== State.running;
    if (occasion === "end") return spared ? [] : [["abort", crash, 0]];
    const odds: [Fault["kind"], number, number][] = [];
    if (clockJumpMs > 0) odds.push(["jump", 1 / messagesPerJump, clockJumpMs]);
    if (spared) return odds;
    odds.push(["crash", crash, 0]);
    if (slow !== undefined && !cell.busy && cell.state === State.running)
      odds.push(["slow", slow.probability, slow.maxMs]);
    return odds;
  }

  #harm(cell: Cell, { kind, ms }: Fault): void {
    if (kind === "jump") this.runtime.wallOffMs = ms;
    else if (kind !== "slow") cell.kill({ crash: new Error("a simulated crash") });
    else {
      this.#slowed.add(cell);
      cell.hold(sleep(ms));
    }
  }

  /** The invariant that does not hold now. */
  #broken(): string | undefined {
    return (
      this.#window.violation ??
      this.#oneCallback.violation ??
      this.ledger.violation ??
      this.#invariants.find(({ holds }) => !holds())?.name
    );
  }

  /** Runs a program to its end; resolves with its failure, if it fails. */
  async program(
    body: (simulation: Simulation) => void | Promise<void>,
  ): Promise<Failure | undefined> {
    const before = thread.system;
    thread.system = this.system;
    using senders = new Senders();
    this.trace.senderOf = (message) => senders.of(message);
    using _globals = virtualGlobals(this.system);
    using _log = this.#mutesLog ? attach("sluice.log", this.#logged) : undefined;
    using _restarts = attach("sluice.supervisor.restarted", () => void this.restarts++);
    try {
      return await this.#run(body);
    } finally {
      thread.system = before;
    }
  }

  async #run(body: (simulation: Simulation) => void | Promise<void>): Promise<Failure | undefined> {
    let over = false;
    let failed: { readonly error: unknown } | undefined;
    (async () => body(this))().then(
      () => (over = true),
      (error: unknown) => {
        over = true;
        failed = { error };
      },
    );
    for (;;) {
      await settle();
      let broken = this.#broken();
      if (broken === undefined && failed !== undefined)
        return this.#failure(describe(failed.error), failed.error);
      if (broken === undefined && over) break;
      if (broken === undefined && this.trace.steps > this.#maxSteps)
        broken = `it ends within ${this.#maxSteps} steps`;
      // Files are read in real time.
      if (this.#loading && this.system.get(processes).count === 0 && broken === undefined) continue;
      this.#loading = false;
      if (broken === undefined && !this.#advanceOnce())
        broken = "the program goes on: nothing is left that could run, and it waits";
      if (broken === undefined) continue;
      const failure = this.#failure(broken, undefined);
      await this.#unwind(() => over);
      return failure;
    }
    this.ledger.balance();
    const left = leftBehind(this.system);
    const invariant = this.ledger.violation ?? left?.message;
    return invariant === undefined ? undefined : this.#failure(invariant, left);
  }

  /** Lets a program that has failed end what it holds: its waits reject, and its processes go on without faults. */
  async #unwind(isOver: () => boolean): Promise<void> {
    this.calm();
    const error = new Error("the simulation has failed: nothing is waited for any more");
    this.#over.abort(error);
    for (const { reject } of this.#quiet.splice(0)) reject(error);
    for (let step = 0; step < stepsToUnwind && !isOver(); step++) {
      await settle();
      if (!this.#advanceOnce()) return;
    }
  }

  /** One step, else quiet, else the next timer. */
  #advanceOnce(): boolean {
    const { runtime, system } = this;
    const turn = runtime.turns.shift();
    if (turn !== undefined) {
      turn();
      return true;
    }
    if (system.queue.step()) {
      this.#oneCallback.after();
      this.trace.taken();
      return true;
    }
    this.ledger.balance();
    const waiting = this.#quiet.splice(0);
    for (const { resolve } of waiting) resolve();
    return waiting.length > 0 || runtime.alarms.ring();
  }

  #failure(invariant: string, cause: unknown): Failure {
    const { trace, schedule } = this;
    const script = { faults: [...schedule.faults], picks: [...schedule.picks] };
    return { invariant, cause, trace: trace.last, steps: trace.steps, script };
  }
}
