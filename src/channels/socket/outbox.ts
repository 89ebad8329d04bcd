import type { Limits } from "../limits.ts";
import type { Frames } from "../wire/frame.ts";

/**
 * How a frame may be treated while it waits. `"kept"`: in order, never dropped. `"droppable"`: in order, given up when
 * its topic's policy is to drop. `"latest"`: in order, given up for a newer one of its key. `"urgent"`: ahead of all that
 * waits, never dropped (the reply to a heartbeat, a pong).
 */
export type FrameKind = "kept" | "droppable" | "latest" | "urgent";

/** What an outbox at rest holds: one for all, which nothing is added to. */
const none: never[] = [];

/** Told what became of a frame, once for each outbox it was in. */
export interface FrameWatch {
  /** It was handed to the socket, or it never will be. */
  settled(written: boolean): void;
}

/** A frame on its way, shared by all outboxes it waits in. */
export class Outgoing {
  /** Header and payload; nobody changes them. */
  readonly bytes: Frames;
  readonly kind: FrameKind;
  /** What a newer frame of kind `"latest"` has in common with this one. */
  readonly key: string;
  readonly watch: FrameWatch | undefined;

  constructor(bytes: Frames, kind: FrameKind, key = "", watch?: FrameWatch) {
    this.bytes = bytes;
    this.kind = kind;
    this.key = key;
    this.watch = watch;
  }
}

/**
 * What waits for one client: references to frames that other outboxes share, in the order they were pushed. It holds no
 * timer and no socket; who writes takes a run of frames once per turn and tells how many bytes the socket still holds.
 */
export class Outbox {
  readonly #limitBytes: number;
  readonly #lowMarkBytes: number;
  /** A dropped frame leaves a gap, so that the rest stay where they are. */
  #frames: (Outgoing | undefined)[] = none;
  #head = 0;
  /** Nothing before this place can be dropped: dropping does not look at the same frames again and again. */
  #oldest = 0;
  #gaps = 0;
  #urgent: Outgoing[] | undefined = undefined;
  /** The newest frame of each key, from when the limit was reached until all is written. */
  #latest: Map<string, Outgoing> | undefined = undefined;
  #hasLatest = false;
  /** Frames given up for newer ones that still have their places. */
  #superseded: Set<Outgoing> | undefined = undefined;
  #pendingBytes = 0;
  #dropped = 0;

  constructor(limits: Pick<Limits, "maxPendingBytes" | "lowMarkBytes">) {
    this.#limitBytes = limits.maxPendingBytes;
    this.#lowMarkBytes = limits.lowMarkBytes;
  }

  /** Bytes that wait here, without those the socket holds. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Frames dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a frame, whatever the limit: ask `isOver` afterwards, so that the newest frame is counted. */
  push(frame: Outgoing): void {
    this.#pendingBytes += frame.bytes.length;
    if (frame.kind === "urgent") {
      (this.#urgent ??= []).push(frame);
      return;
    }
    // Most outboxes hold one frame at a time: an array that grows makes room for many.
    if (this.#frames.length === 0) this.#frames = [frame];
    else this.#frames.push(frame);
    if (frame.kind !== "latest") return;
    if (this.#latest === undefined) this.#hasLatest = true;
    else this.#supersede(this.#latest, frame);
  }

  /** Do more bytes wait than are kept for one client? */
  isOver(socketBytes: number): boolean {
    return this.#pendingBytes + socketBytes > this.#limitBytes;
  }

  /** Has a slow client caught up? */
  isLow(socketBytes: number): boolean {
    return this.#pendingBytes + socketBytes < this.#lowMarkBytes;
  }

  /**
   * Gives up what may be given up until no more waits than may: frames that have a newer one of their key, then droppable
   * ones, the oldest first. False if that is not enough.
   */
  relieve(socketBytes: number): boolean {
    if (this.#hasLatest && this.#latest === undefined) this.#keepLatest();
    for (; this.isOver(socketBytes) && this.#oldest < this.#frames.length; this.#oldest++) {
      const frame = this.#frames[this.#oldest];
      if (frame?.kind !== "droppable") continue;
      this.#frames[this.#oldest] = undefined;
      this.#giveUp(frame);
    }
    this.#close();
    return !this.isOver(socketBytes);
  }

  /**
   * Takes frames for one write: urgent ones first, then in order, as many as fit in `maxBytes`, and at least one if any
   * waits. The frames stay shared: write them, do not change them.
   */
  take(maxBytes: number): readonly Outgoing[] {
    const frames = this.#frames;
    // Most writes are of one frame: its list is handed over as it is.
    if (frames.length === 1 && frames[0] !== undefined && this.#urgent === undefined) {
      this.#pendingBytes = 0;
      this.#empty();
      return frames as readonly Outgoing[];
    }
    const taken = this.#urgent ?? [];
    this.#urgent = undefined;
    let bytes = 0;
    for (const frame of taken) bytes += frame.bytes.length;
    for (; this.#head < this.#frames.length; this.#head++) {
      const frame = this.#frames[this.#head];
      if (frame === undefined || this.#superseded?.has(frame) === true) continue;
      if (taken.length > 0 && bytes + frame.bytes.length > maxBytes) break;
      bytes += frame.bytes.length;
      taken.push(frame);
      if (this.#latest?.get(frame.key) === frame) this.#latest.delete(frame.key);
      this.#frames[this.#head] = undefined;
      this.#gaps++;
    }
    this.#pendingBytes -= bytes;
    this.#close();
    return taken;
  }

  /** Gives up everything that waits. */
  clear(): void {
    const waiting = [...(this.#urgent ?? []), ...this.#frames];
    const superseded = this.#superseded;
    this.#urgent = undefined;
    this.#pendingBytes = 0;
    this.#empty();
    for (const frame of waiting)
      if (frame !== undefined && superseded?.has(frame) !== true) frame.watch?.settled(false);
  }

  #keepLatest(): void {
    const latest = (this.#latest = new Map<string, Outgoing>());
    for (const frame of this.#frames) if (frame?.kind === "latest") this.#supersede(latest, frame);
  }

  #supersede(latest: Map<string, Outgoing>, frame: Outgoing): void {
    const older = latest.get(frame.key);
    latest.set(frame.key, frame);
    if (older === undefined) return;
    (this.#superseded ??= new Set()).add(older);
    this.#giveUp(older);
    this.#close();
  }

  #giveUp(frame: Outgoing): void {
    this.#pendingBytes -= frame.bytes.length;
    this.#dropped++;
    this.#gaps++;
    frame.watch?.settled(false);
  }

  /** Closes the gaps that sent and dropped frames left, once they are the greater part. */
  #close(): void {
    const waiting = this.#frames.length - this.#gaps;
    if (waiting === 0) return this.#empty();
    if (this.#gaps < 32 || this.#gaps < waiting) return;
    const superseded = this.#superseded;
    this.#frames = this.#frames.filter(
      (frame) => frame !== undefined && superseded?.has(frame) !== true,
    );
    this.#superseded = undefined;
    this.#oldest = this.#head = this.#gaps = 0;
  }

  #empty(): void {
    this.#frames = none;
    this.#latest = this.#superseded = undefined;
    this.#hasLatest = false;
    this.#oldest = this.#head = this.#gaps = 0;
  }
}
