import { SluiceError, type TimerEntry } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import { Waits, type Backoff } from "./backoff.ts";

/** One connection from the beginning of a try to its end. */
export interface ConnectionLife {
  /** Nothing of it counts any more. */
  readonly isOver: boolean;
  /** The connection is gone, or not what it was: told as often as one likes. */
  lost(reason: unknown): void;
}

/** Who a connection is kept for, and what it is. */
export interface Keeper<C> {
  /** Connects, once. Rejects when that fails or the signal aborts, and leaves nothing behind then. */
  connect(life: ConnectionLife, signal: AbortSignal): Promise<C>;
  /** Ends one at once. */
  abort(connection: C): void;
  /** It is connected: makes it ready, unless it is over meanwhile; it is up when that has resolved. */
  restore(connection: C, life: ConnectionLife): Promise<void>;
  /** It is up. */
  up?(connection: C): void;
  /** It is lost, and was up, or about to be. */
  down(reason: unknown, wasUp: boolean): void;
  /** Asks whether it lives; `heard` is to be called when the answer comes. */
  beat(connection: C): void;
}

/** When a connection is tried, asked, and given up. */
export interface KeepOptions {
  readonly reconnectDelayMs: number | Backoff;
  readonly connectTimeoutMs: number;
  readonly heartbeatMs: number;
}

class Life<C> implements ConnectionLife {
  connection: C | undefined = undefined;
  isOver = false;
  readonly abort: AbortController = new AbortController();
  readonly #kept: KeptConnection<C>;

  constructor(kept: KeptConnection<C>) {
    this.#kept = kept;
  }

  lost(reason: unknown): void {
    this.#kept.over(this, reason);
  }
}

/** A connection that comes back: tried again and again, with a heartbeat for lines that died in silence. */
export class KeptConnection<C> {
  /** Why the last try failed, or the connection ended. */
  lastReason: unknown = undefined;
  readonly #system: System;
  readonly #keeper: Keeper<C>;
  readonly #options: KeepOptions;
  readonly #waits: Waits;
  readonly #waiting: Set<() => void> = new Set();
  #life: Life<C> | undefined = undefined;
  #upSince: number | undefined = undefined;
  /** One at a time: the limit of a try, the wait for the next, the next heartbeat. */
  #timer: TimerEntry<() => void> | undefined = undefined;
  #beatAt = 0;
  #isHeard = true;
  #isClosed = false;

  constructor(system: System, options: KeepOptions, keeper: Keeper<C>) {
    this.#system = system;
    this.#options = options;
    this.#waits = new Waits(options.reconnectDelayMs);
    this.#keeper = keeper;
  }

  /** The connection, while it is up. */
  get current(): C | undefined {
    return this.#upSince === undefined ? undefined : this.#life?.connection;
  }

  /** The connection, as soon as one is up. Rejects when the signal aborts, or nobody connects any more. */
  async connection(signal: AbortSignal): Promise<C> {
    for (;;) {
      signal.throwIfAborted();
      const { current } = this;
      if (current !== undefined) return current;
      if (this.#isClosed) throw new Error("it is closed");
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  /** Connects, and goes on with that. */
  begin(): void {
    if (this.#isClosed) return;
    const life = (this.#life = new Life(this));
    const { connectTimeoutMs } = this.#options;
    this.#after(connectTimeoutMs, () => this.over(life, timedOut(connectTimeoutMs)));
    this.#connect(life).catch((error: unknown) => this.over(life, error));
  }

  /** The heartbeat has come back. */
  heard(): void {
    this.#isHeard = true;
  }

  /** It is not what it was, if it is still that one. */
  lose(connection: C, reason: unknown): void {
    if (this.#life?.connection === connection) this.#life.lost(reason);
  }

  /** Keeps it no longer; returns it, for a good end, if it is there. */
  close(): C | undefined {
    this.#isClosed = true;
    this.#cancel();
    const life = this.#life;
    this.#life = undefined;
    this.#upSince = undefined;
    this.#wake();
    if (life === undefined) return undefined;
    life.isOver = true;
    life.abort.abort(new Error("it is closed"));
    return life.connection;
  }

  async #connect(life: Life<C>): Promise<void> {
    const connection = await this.#keeper.connect(life, life.abort.signal);
    // It came too late.
    if (life.isOver) return this.#keeper.abort(connection);
    life.connection = connection;
    await this.#keeper.restore(connection, life);
    if (life.isOver) return;
    this.#upSince = this.#system.runtime.now();
    this.#isHeard = true;
    this.#beatLater(life);
    this.#keeper.up?.(connection);
    this.#wake();
  }

  /** A try has failed, or the connection is lost. */
  over(life: Life<C>, reason: unknown): void {
    if (life.isOver) return;
    life.isOver = true;
    this.lastReason = reason;
    life.abort.abort(reason);
    if (life.connection !== undefined) this.#keeper.abort(life.connection);
    const since = this.#upSince;
    this.#upSince = undefined;
    this.#life = undefined;
    const { runtime } = this.#system;
    if (since !== undefined) this.#waits.wasUp(runtime.now() - since);
    this.#after(
      this.#waits.next(() => runtime.random()),
      () => this.begin(),
    );
    this.#keeper.down(reason, since !== undefined);
  }

  #beatLater(life: Life<C>): void {
    const { heartbeatMs } = this.#options;
    this.#beatAt = this.#system.runtime.now() + heartbeatMs;
    this.#after(heartbeatMs, () => this.#beat(life));
  }

  #beat(life: Life<C>): void {
    const { heartbeatMs } = this.#options;
    // A program that stood still has not read either: its own silence proves nothing.
    const stoodStill = this.#system.runtime.now() - this.#beatAt > heartbeatMs / 2;
    if (!this.#isHeard && !stoodStill) return this.over(life, silent(heartbeatMs));
    if (this.#isHeard) {
      this.#isHeard = false;
      this.#keeper.beat(life.connection!);
    }
    this.#beatLater(life);
  }

  #after(ms: number, run: () => void): void {
    this.#cancel();
    this.#timer = this.#system.after(ms, run);
  }

  #cancel(): void {
    if (this.#timer !== undefined) this.#system.cancel(this.#timer);
    this.#timer = undefined;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function timedOut(timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  return new SluiceError("SLUICE_TIMEOUT", `not connected in ${timeoutMs} ms`, { timeoutMs });
}

function silent(timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  const message = `a heartbeat did not come back in ${timeoutMs} ms`;
  return new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs });
}
