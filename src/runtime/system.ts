import { SluiceError, TimerWheel, type TimerEntry } from "../support/internal.ts";
import { realRuntime } from "./real-runtime.ts";
import { RunQueue, type Runnable } from "./run-queue.ts";
import type { Alarm, Runtime } from "./runtime.ts";
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
  readonly runtime: Runtime;
  readonly queue: RunQueue;
  readonly wheel: TimerWheel<() => void>;
  readonly slots: Map<string, unknown> = new Map();
  alarm: Alarm | undefined = undefined;
  alarmAt = Infinity;
  lastId = 0;
  readonly ring: () => void = () => this.fire();

  constructor(runtime: Runtime = realRuntime()) {
    this.runtime = runtime;
    this.queue = new RunQueue(runtime);
    this.wheel = new TimerWheel();
  }

  /** Binds a name, topic or endpoint to this system; needed after an `await` where it is not the default. */
  of<T extends Token<T>>(token: T): T {
    return token["~in"](this);
  }

  /** What an upper layer keeps here. */
  get<T>(slot: Slot<T>): T {
    let kept = this.slots.get(slot.key);
    if (kept === undefined) this.slots.set(slot.key, (kept = slot.create(this)));
    return kept as T;
  }

  /** A number that no other thing in this system has. */
  nextId(): number {
    return ++this.lastId;
  }

  /** Calls `run` once, not before `ms` have passed. `run` must not throw: it only sends. */
  after(ms: number, run: () => void): TimerEntry<() => void> {
    const at = this.runtime.now() + Math.max(ms, 0);
    const entry = this.wheel.schedule(at, run);
    if (at < this.alarmAt) this.arm(at);
    return entry;
  }

  /** Takes a timer back. */
  cancel(entry: TimerEntry<() => void>): void {
    if (this.wheel.cancel(entry) && this.wheel.size === 0) this.disarm();
  }

  arm(at: number): void {
    this.alarm?.cancel();
    this.alarmAt = at;
    this.alarm = this.runtime.alarm(at - this.runtime.now(), this.ring);
  }

  disarm(): void {
    this.alarm?.cancel();
    this.alarm = undefined;
    this.alarmAt = Infinity;
  }

  fire(): void {
    this.alarm = undefined;
    this.alarmAt = Infinity;
    this.wheel.advance(this.runtime.now(), (run) => run());
    const next = this.wheel.nextAt();
    if (next !== undefined && next < this.alarmAt) this.arm(next);
  }
}

/** What all copies of the package in one thread share. */
interface Thread {
  readonly version: string;
  readonly path: string;
  /** The process whose callback runs now. */
  running: (Runnable & { readonly system: System }) | undefined;
  /** Where free functions work when no callback runs. */
  system: System | undefined;
}

const path = import.meta.url;
const shared = globalThis as { [key: symbol]: Thread | undefined };
const symbol = Symbol.for("sluice.thread");

/** The record of this thread. */
export const thread: Thread = (shared[symbol] ??= {
  version,
  path,
  running: undefined,
  system: undefined,
});

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
