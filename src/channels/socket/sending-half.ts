import type { TimerEntry } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { closed, log } from "../../telemetry/internal.ts";
import type { Flushable, Flusher } from "../fan-out/flusher.ts";
import type { CloseCode, Frames } from "../wire/frame.ts";
import type { Limits } from "../limits.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import type { Serializer } from "../wire/serializer.ts";
import { SharedRun } from "../fan-out/shared-run.ts";
import type { Transport } from "../transport/transport.ts";

/** Bytes written to one socket between two looks at the outside world. */
const bytesPerTurn = 64 * 1_024;
/** Whoever waits for a client may go over its limit, but not beyond this many times the limit. */
const mostOver = 2;

/** What all clients of one mount have in common. */
export interface SendingWorld {
  readonly system: System;
  readonly flusher: Flusher;
  readonly limits: Limits;
}

/** Told that this side has closed the line. */
export interface SendingOwner {
  closing(): void;
}

/** A client over its limit that is waited for. */
interface Wait {
  /** When the limit was reached. */
  readonly sinceMs: number;
  readonly resolve: (() => void)[];
  timer: TimerEntry<() => void> | undefined;
}

/** The sending half of a socket: what waits for its client, and what becomes of a client that does not keep up. */
export class SendingHalf implements Flushable {
  marked = false;
  /** Nothing is sent any more: it was closed from this side, or is gone. */
  isClosed = false;
  /** Sweeps since the transport took its last bytes; -1 while it takes all. */
  blockedSweeps = -1;
  readonly transport: Transport;
  /** What its client understands. */
  readonly serializer: Serializer;
  readonly #world: SendingWorld;
  readonly #owner: SendingOwner;
  readonly #outbox: Outbox;
  #wait: Wait | undefined = undefined;

  constructor(
    world: SendingWorld,
    transport: Transport,
    owner: SendingOwner,
    serializer: Serializer,
  ) {
    this.#world = world;
    this.transport = transport;
    this.serializer = serializer;
    this.#owner = owner;
    this.#outbox = new Outbox(world.limits);
  }

  /** Its mount's. */
  get limits(): Limits {
    return this.#world.limits;
  }

  /** Bytes that wait, here and in the transport. */
  get pendingBytes(): number {
    return this.#outbox.pendingBytes + this.transport.pendingBytes;
  }

  /** Puts a frame behind all that waits, to be written at the end of the turn; too much waits: the frame's kind decides. */
  send(frame: Outgoing): void {
    if (frame.kind !== "urgent") this.#world.flusher.catchUp(this);
    this.take(frame);
  }

  /** The same for what is likely to be the last for now: with nothing before it, it is written at once. */
  sendLast(frame: Outgoing): void {
    const { flusher } = this.#world;
    flusher.catchUp(this);
    if (this.#isIdleFor(frame) && flusher.goesAhead()) this.#writeAtOnce(frame);
    else this.take(frame);
  }

  /** The same for a broadcast that is handed out: what is said meanwhile comes behind it. */
  take(frame: Outgoing): void {
    if (this.#queue(frame) && this.#isOver() && !this.#relieve() && !this.#bears())
      this.close(4008, "slow consumer");
  }

  /** The same for the last of those that are handed out: in its turn, and with nothing before it, it is written at once. */
  takeLast(frame: Outgoing): void {
    if (this.#isIdleFor(frame) && this.#world.flusher.takesTurn()) this.#writeAtOnce(frame);
    else this.take(frame);
  }

  /**
   * The same for a sender that waits: too much is let wait. Then the promise resolves when the client has caught up or is
   * gone; `maxWaitMs` after the limit was reached, it is disconnected.
   */
  sendWaiting(frame: Outgoing, maxWaitMs: number): Promise<void> | undefined {
    this.#world.flusher.catchUp(this);
    return this.takeWaiting(frame, maxWaitMs);
  }

  /** The same for a broadcast that is handed out. */
  takeWaiting(frame: Outgoing, maxWaitMs: number): Promise<void> | undefined {
    if (!this.#queue(frame)) return undefined;
    if (this.#isOver()) this.#wait ??= { sinceMs: this.#nowMs, resolve: [], timer: undefined };
    const wait = this.#wait;
    if (wait === undefined) return undefined;
    const dueMs = wait.sinceMs + maxWaitMs;
    if (wait.timer === undefined || dueMs < wait.timer.atMs) {
      this.#cancel(wait);
      wait.timer = this.#world.system.after(dueMs - this.#nowMs, () =>
        this.close(4008, "slow consumer"),
      );
    }
    return new Promise((resolve) => wait.resolve.push(resolve));
  }

  /** The transport takes more. */
  writable(): void {
    this.blockedSweeps = -1;
    if (this.#outbox.pendingBytes > 0) this.#world.flusher.mark(this);
    this.#lookAtWait();
  }

  flush(run: SharedRun): boolean {
    if (this.isClosed || this.blockedSweeps >= 0) return false;
    this.#write(run);
    this.#lookAtWait();
    return this.blockedSweeps < 0 && this.#outbox.pendingBytes > 0;
  }

  /** Writes all that the transport takes, at once. @returns whether nothing is left waiting anywhere */
  flushNow(): boolean {
    this.#world.flusher.catchUp(this);
    this.#writeOut();
    return this.isClosed || this.pendingBytes === 0;
  }

  /** Closes the line from this side. What waits is written before, as far as the transport takes it; not for one that is slow. */
  close(code: CloseCode, reason: string): void {
    if (this.isClosed) return;
    if (code !== 4008) this.flushNow();
    this.#end(code, reason);
  }

  /** Lets everything go that waits, and tells all who wait. */
  dispose(): void {
    this.isClosed = true;
    this.#outbox.clear();
    this.#endWait();
  }

  #end(code: CloseCode, reason: string): void {
    if (this.isClosed) return;
    this.dispose();
    if (closed.active) closed.emit({ code, reason });
    try {
      // Its answer is to be read, also where nothing else was any more.
      this.transport.resume();
      this.transport.close(code, reason);
    } finally {
      this.#owner.closing();
    }
  }

  #writeAtOnce(frame: Outgoing): void {
    const isWritten = this.#hand(frame.bytes);
    frame.watch?.settled(isWritten);
  }

  /** Would the frame be alone in its outbox, and go out with the next write whatever else is said? What waits is in line, or blocked. */
  #isIdleFor(frame: Outgoing): boolean {
    return (
      !this.marked &&
      this.blockedSweeps < 0 &&
      !this.isClosed &&
      this.#wait === undefined &&
      frame.bytes.length <= this.#world.limits.maxPendingBytes
    );
  }

  #queue(frame: Outgoing): boolean {
    if (this.isClosed) {
      frame.watch?.settled(false);
      return false;
    }
    this.#outbox.push(frame);
    this.#world.flusher.mark(this);
    return true;
  }

  /** Looks after a write only: what was queued in one turn says nothing about how fast the client is. */
  #isOver(): boolean {
    if (!this.#outbox.isOver(this.blockedSweeps < 0 ? 0 : this.transport.pendingBytes))
      return false;
    this.#writeOut();
    return this.#outbox.isOver(this.transport.pendingBytes);
  }

  #relieve(): boolean {
    return this.#outbox.relieve(this.transport.pendingBytes);
  }

  /** Is a waiting sender responsible for the excess, and is it below twice the limit? */
  #bears(): boolean {
    const { maxPendingBytes } = this.#world.limits;
    return this.#wait !== undefined && this.pendingBytes <= mostOver * maxPendingBytes;
  }

  #writeOut(): void {
    const run = new SharedRun();
    while (!this.isClosed && this.blockedSweeps < 0 && this.#outbox.pendingBytes > 0)
      this.#write(run);
  }

  #write(run: SharedRun): void {
    // The line holds what no policy can drop any more: it gets the lesser part of what may wait.
    const bytes = Math.min(bytesPerTurn, this.#world.limits.maxPendingBytes / 4);
    const frames = this.#outbox.take(bytes);
    if (frames.length === 0) return;
    const joined = this.#joined(frames, run);
    const isWritten = joined !== undefined && this.#hand(joined);
    for (const frame of frames) frame.watch?.settled(isWritten);
  }

  #joined(frames: readonly Outgoing[], run: SharedRun): Frames | undefined {
    try {
      return run.join(frames);
    } catch (error) {
      return this.#notWritten(error);
    }
  }

  /** Hands bytes to the transport; false where it could not. */
  #hand(frames: Frames): boolean {
    try {
      if (!this.transport.send(frames)) this.blockedSweeps = 0;
      return true;
    } catch (error) {
      this.#notWritten(error);
      return false;
    }
  }

  /** It is the end: what its client has missed it cannot be told any more. */
  #notWritten(error: unknown): undefined {
    this.#end(1011, "not written");
    log("error", "a socket could not be written to, and is closed", error);
  }

  #lookAtWait(): void {
    if (this.#wait !== undefined && this.#outbox.isLow(this.transport.pendingBytes))
      this.#endWait();
  }

  #endWait(): void {
    const wait = this.#wait;
    if (wait === undefined) return;
    this.#wait = undefined;
    this.#cancel(wait);
    for (const resolve of wait.resolve) resolve();
  }

  #cancel({ timer }: Wait): void {
    if (timer !== undefined) this.#world.system.cancel(timer);
  }

  get #nowMs(): number {
    return this.#world.system.runtime.now();
  }
}
