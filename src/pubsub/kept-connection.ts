import { SluiceError, type TimerEntry } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import { Waits } from "../process/internal.ts";
import type { Adapter, Connection, ConnectionEvents } from "./adapter.ts";
import type { LinkOptions } from "./link-options.ts";

/** Who a connection is kept for. */
export interface Keeper {
  /** It is connected: subscribes to everything, unless it is over meanwhile; it is up when that has resolved. */
  restore(connection: Connection, isOver: () => boolean): Promise<void>;
  /** It is up. */
  up(connection: Connection): void;
  /** It is lost, and was up, or about to be. */
  down(reason: unknown, wasUp: boolean): void;
  message(text: string): void;
  /** Sends itself something; `heard` is to be called when it comes. */
  beat(connection: Connection): void;
}

/** What was published has so long to go out at the end. */
const closeMs = 2_000;

/** One connection from the beginning of a try to its end. */
class Life implements ConnectionEvents {
  connection: Connection | undefined = undefined;
  isOver = false;
  readonly abort: AbortController = new AbortController();
  readonly #kept: KeptConnection;

  constructor(kept: KeptConnection) {
    this.#kept = kept;
  }

  message(text: string): void {
    if (!this.isOver) this.#kept.keeper.message(text);
  }

  lost(reason: unknown): void {
    this.#kept.over(this, reason);
  }
}

/** A connection that comes back: tried again and again, with a heartbeat through the broker for lines that died in silence. */
export class KeptConnection {
  readonly keeper: Keeper;
  /** Why the last try failed, or the connection ended. */
  lastReason: unknown = undefined;
  readonly #system: System;
  readonly #adapter: Adapter;
  readonly #options: LinkOptions;
  readonly #waits: Waits;
  #life: Life | undefined = undefined;
  #upSince: number | undefined = undefined;
  /** One at a time: the limit of a try, the wait for the next, the next heartbeat. */
  #timer: TimerEntry<() => void> | undefined = undefined;
  #beatAt = 0;
  #isHeard = true;
  #isClosed = false;

  constructor(system: System, options: LinkOptions, keeper: Keeper) {
    this.#system = system;
    this.#adapter = options.adapter;
    this.#options = options;
    this.#waits = new Waits(options.reconnectDelayMs);
    this.keeper = keeper;
  }

  /** The connection, while it is up. */
  get current(): Connection | undefined {
    return this.#upSince === undefined ? undefined : this.#life?.connection;
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

  /** Ends it, once what was published is sent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    const life = this.#life;
    this.#life = undefined;
    this.#upSince = undefined;
    if (life === undefined) return;
    life.isOver = true;
    life.abort.abort(new Error("the node stops"));
    const { connection } = life;
    if (connection === undefined) return;
    const timer = this.#system.after(closeMs, () => connection.abort());
    await connection.close();
    this.#system.cancel(timer);
  }

  async #connect(life: Life): Promise<void> {
    const connection = await this.#adapter.connect(life, life.abort.signal);
    // It came too late.
    if (life.isOver) return connection.abort();
    life.connection = connection;
    await this.keeper.restore(connection, () => life.isOver);
    if (life.isOver) return;
    this.#upSince = this.#system.runtime.now();
    this.#isHeard = true;
    this.#beatLater(life);
    this.keeper.up(connection);
  }

  /** A try has failed, or the connection is lost. */
  over(life: Life, reason: unknown): void {
    if (life.isOver) return;
    life.isOver = true;
    this.lastReason = reason;
    life.abort.abort(reason);
    life.connection?.abort();
    const since = this.#upSince;
    this.#upSince = undefined;
    this.#life = undefined;
    const { runtime } = this.#system;
    if (since !== undefined) this.#waits.wasUp(runtime.now() - since);
    this.#after(
      this.#waits.next(() => runtime.random()),
      () => this.begin(),
    );
    this.keeper.down(reason, since !== undefined);
  }

  #beatLater(life: Life): void {
    const { heartbeatMs } = this.#options;
    this.#beatAt = this.#system.runtime.now() + heartbeatMs;
    this.#after(heartbeatMs, () => this.#beat(life));
  }

  #beat(life: Life): void {
    const { heartbeatMs } = this.#options;
    // A program that stood still has not read either: its own silence proves nothing.
    const stoodStill = this.#system.runtime.now() - this.#beatAt > heartbeatMs / 2;
    if (!this.#isHeard && !stoodStill) return this.over(life, silent(heartbeatMs));
    if (this.#isHeard) {
      this.#isHeard = false;
      this.keeper.beat(life.connection!);
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
}

function timedOut(timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  return new SluiceError("SLUICE_TIMEOUT", `not connected in ${timeoutMs} ms`, { timeoutMs });
}

function silent(timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  const message = `a heartbeat did not come back in ${timeoutMs} ms`;
  return new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs });
}
