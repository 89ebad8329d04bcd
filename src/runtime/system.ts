import { SluiceError, TimerWheel, type TimerEntry } from "../support/internal.ts";
import { realRuntime } from "./real-runtime.ts";
import { RunQueue } from "./run-queue.ts";
import type { Alarm, Runtime } from "./runtime.ts";
import { path, thread } from "./thread.ts";
import { version } from "./version.ts";

/** A place in a system for what an upper layer keeps there; made on first use. */
export interface Slot<T> {
  readonly key: string;
  readonly create: (system: System) => T;
}

/** A token that means something in each system: a name, a topic, an endpoint. */
export interface Token<T> {
  readonly key: string;
  /** The same token, resolved in that system whoever asks. */
  "~in"(system: System): T;
}

/**
 * One world of processes: run queue, timers, Runtime, and slots in which upper layers keep the process table, the names
 * and the bus. There is one default per thread, shared by all copies of the package. Free functions and tokens use the
 * current one: that of the running callback, else the default.
 */
export class System {
  /** Clock, turns and chance. */
  readonly runtime: Runtime;
  /** The processes that have something to do; `queue.budgetMs` is how long they may keep the thread at a time. */
  readonly queue: RunQueue;
  /** Everything that waits for a time. */
  readonly wheel: TimerWheel<() => void> = new TimerWheel();
  readonly #slots: Map<string, unknown> = new Map();
  readonly #ring: () => void = () => this.#fire();
  #alarm: Alarm | undefined = undefined;
  #alarmAt = Infinity;
  #lastId = 0;

  /** @param queue that of another system, where several are to take turns */
  constructor(runtime: Runtime = realRuntime(), queue: RunQueue = new RunQueue(runtime)) {
    this.runtime = runtime;
    this.queue = queue;
  }

  /** Binds a name, topic or endpoint to this system; needed after an `await` where it is not the default. */
  of<T extends Token<T>>(token: T): T {
    return token["~in"](this);
  }

  /** What an upper layer keeps here. */
  get<T>(slot: Slot<T>): T {
    let kept = this.#slots.get(slot.key);
    if (kept === undefined) this.#slots.set(slot.key, (kept = slot.create(this)));
    return kept as T;
  }

  /** A number that no other thing in this system has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Calls `run` once, not before `ms` have passed; `Infinity` is never. Timers of one instant ring in their order. */
  after(ms: number, run: () => void): TimerEntry<() => void> {
    const at = this.runtime.now() + Math.max(ms, 0);
    const entry = this.wheel.schedule(at, run);
    if (at < this.#alarmAt) this.#arm(at);
    else if (this.wheel.size === 1) this.#alarm?.hold(true);
    return entry;
  }

  /** Takes a timer back; harmless when it has rung. */
  cancel(entry: TimerEntry<() => void>): void {
    // Not taken back: most calls are answered in time, and the next one has use for it.
    if (this.wheel.cancel(entry) && this.wheel.size === 0) this.#alarm?.hold(false);
  }

  #arm(at: number): void {
    this.#alarm?.cancel();
    this.#alarmAt = at;
    this.#alarm = this.runtime.alarm(at - this.runtime.now(), this.#ring);
  }

  #fire(): void {
    this.#alarm = undefined;
    this.#alarmAt = Infinity;
    try {
      this.wheel.advance(this.runtime.now(), (run) => run());
    } finally {
      // One that throws keeps no other from ringing.
      const next = this.wheel.nextAt();
      if (next !== undefined && next < this.#alarmAt) this.#arm(next);
    }
  }
}

/**
 * The current system: that of the running callback, else the default.
 * @throws SLUICE_DUPLICATE_RUNTIME when another version of the package owns this thread: its processes would not see ours
 */
export function currentSystem(): System {
  if (thread.version !== version) {
    throw new SluiceError(
      "SLUICE_DUPLICATE_RUNTIME",
      `two versions of sluice in one thread: ${thread.version} at ${thread.path}, ${version} at ${path}`,
      { paths: [thread.path, path] },
    );
  }
  return thread.running?.system ?? (thread.system ??= new System());
}
