import type { Runtime } from "./runtime.ts";
import { thread } from "./thread.ts";

/** What the run queue runs: a process. */
export interface Runnable {
  /** Is it in the queue? Owned by the queue. */
  queued: boolean;
  /** Who stands behind it in the queue, which owns this. */
  following: Runnable | undefined;
  /** Handles at most `limit` messages and says how many it did. */
  run(limit: number): number;
}

/** How long one drain may keep the thread, in ms, unless set otherwise. */
export const defaultBudgetMs = 1;
/** Messages of one process before the next process has its turn. */
const messagesPerRun = 32;
/** Messages between two looks at the clock, at most: looking costs as much as a small message. */
const longestStride = 128;
/** Between two looks, as a share of the budget: so close to its deadline a drain ends. */
const lookShare = 0.1;
/** Messages before the first look of a drain, at most: what comes now may be larger than what came before. */
const firstStride = 4;

/**
 * The ready processes, first come first served, drained under a time budget per turn of the event loop: the first drain
 * of a turn starts in a microtask, and when the budget is spent the rest waits until timers and sockets have had theirs.
 * Promise chains that keep waking processes up share the budget of the turn they live in.
 */
export class RunQueue {
  /** What one turn may take, in ms. */
  budgetMs: number = defaultBudgetMs;
  /** Told how long each drain took, in ms, when set. */
  onDrain: ((ms: number) => void) | undefined = undefined;
  /** Told before each step of a simulation, when set. */
  onStep: ((process: Runnable) => void) | undefined = undefined;
  readonly runtime: Runtime;
  /** The line: its first and its last, each knowing who follows. */
  first: Runnable | undefined = undefined;
  last: Runnable | undefined = undefined;
  /** When the budget of this turn ends; 0 when no turn is open. */
  turnEnds = 0;
  /** A drain is on its way or running. */
  awake = false;
  /** The time at the last look at the clock: within a drain, at most a tenth of the budget ago. */
  lastLookMs = 0;
  /** The clock's cost is spread over this many messages. */
  stride: number = firstStride;
  readonly drain: () => void = () => this.runUntil(this.turnEnds);
  readonly endTurn: () => void = () => {
    this.turnEnds = 0;
    if (!this.awake) return;
    this.openTurn();
    this.drain();
  };

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** Puts a process in line, once. */
  ready(process: Runnable): void {
    if (process.queued) return;
    process.queued = true;
    if (this.first === undefined) this.first = process;
    else this.last!.following = process;
    this.last = process;
    if (!this.awake) this.wake();
  }

  /** Takes the first of the line. */
  shift(): Runnable | undefined {
    const process = this.first;
    if (process === undefined) return undefined;
    this.first = process.following;
    if (this.first === undefined) this.last = undefined;
    process.following = undefined;
    process.queued = false;
    return process;
  }

  /** Takes one that has overtaken so many; they keep their order. */
  take(overtaken: number): Runnable {
    if (overtaken === 0) return this.shift()!;
    let before = this.first!;
    for (let nth = 1; nth < overtaken; nth++) before = before.following!;
    const process = before.following!;
    before.following = process.following;
    if (this.last === process) this.last = before;
    process.following = undefined;
    process.queued = false;
    return process;
  }

  wake(): void {
    this.awake = true;
    // A simulation takes the steps itself.
    if (this.runtime.simulated) return;
    if (this.turnEnds === 0) this.openTurn();
    this.runtime.soon(this.drain);
  }

  openTurn(): void {
    this.turnEnds = this.runtime.now() + this.budgetMs;
    this.runtime.turn(this.endTurn);
  }

  /** Runs one process for one message: the step of a simulation. */
  step(): boolean {
    const { runtime } = this;
    let waiting = 0;
    for (let at = this.first; at !== undefined; at = at.following) waiting++;
    if (waiting === 0) return false;
    const process = this.take(runtime.pick === undefined ? 0 : runtime.pick(waiting));
    this.lastLookMs = runtime.now();
    this.onStep?.(process);
    process.run(1);
    thread.running = undefined;
    return true;
  }

  runUntil(deadline: number): void {
    const { runtime } = this;
    const started = runtime.now();
    let now = (this.lastLookMs = started);
    let sinceLook = 0;
    this.stride = Math.min(this.stride, firstStride);
    const lookMs = this.budgetMs * lookShare;
    // It ends at a look: as often a little before its deadline as after it.
    while (now < deadline - lookMs / 2) {
      const process = this.shift();
      if (process === undefined) {
        this.awake = false;
        break;
      }
      sinceLook += process.run(Math.min(messagesPerRun, this.stride - sinceLook));
      if (sinceLook < this.stride) continue;
      const before = now;
      now = this.lastLookMs = runtime.now();
      // The next look at this pace.
      const perMessage = (now - before) / sinceLook;
      const affordable = perMessage > 0 ? lookMs / perMessage : longestStride;
      this.stride = Math.max(1, Math.min(longestStride, Math.floor(affordable), this.stride * 2));
      sinceLook = 0;
    }
    thread.running = undefined;
    if (this.onDrain !== undefined) this.onDrain(runtime.now() - started);
  }
}
