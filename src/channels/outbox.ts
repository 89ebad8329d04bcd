import type { Limits } from "./limits.ts";

/**
 * How a frame may be treated while it waits. `"kept"`: in order, never dropped. `"droppable"`: in order, given up when
 * its topic's policy is to drop. `"urgent"`: ahead of all that waits, never dropped (the reply to a heartbeat, a pong).
 */
export type FrameKind = "kept" | "droppable" | "urgent";

/**
 * What waits for one client: references to frames that other outboxes share, in the order they were pushed. It holds no
 * timer and no socket; who writes takes a run of frames once per turn and tells how many bytes the socket still holds.
 */
export class Outbox {
  readonly #limitBytes: number;
  readonly #lowMarkBytes: number;
  /** A dropped frame leaves a gap, so that the rest stay where they are. */
  #frames: (Buffer | undefined)[] = [];
  #droppable: boolean[] = [];
  #head = 0;
  /** Nothing before this place can be dropped: dropping does not look at the same frames again and again. */
  #oldest = 0;
  #gaps = 0;
  #urgent: Buffer[] = [];
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
  push(frame: Buffer, kind: FrameKind): void {
    this.#pendingBytes += frame.length;
    if (kind === "urgent") {
      this.#urgent.push(frame);
      return;
    }
    this.#frames.push(frame);
    this.#droppable.push(kind === "droppable");
  }

  /** Do more bytes wait than are kept for one client? */
  isOver(socketBytes: number): boolean {
    return this.#pendingBytes + socketBytes > this.#limitBytes;
  }

  /** Has a slow client caught up? */
  isLow(socketBytes: number): boolean {
    return this.#pendingBytes + socketBytes < this.#lowMarkBytes;
  }

  /** Drops droppable frames, oldest first, until no more wait than may; false if that is not enough. */
  dropOldest(socketBytes: number): boolean {
    for (; this.isOver(socketBytes) && this.#oldest < this.#frames.length; this.#oldest++) {
      const frame = this.#frames[this.#oldest];
      if (frame === undefined || !this.#droppable[this.#oldest]) continue;
      this.#frames[this.#oldest] = undefined;
      this.#pendingBytes -= frame.length;
      this.#dropped++;
      this.#gaps++;
    }
    this.#close();
    return !this.isOver(socketBytes);
  }

  /**
   * Takes frames for one write: urgent ones first, then in order, as many as fit in `maxBytes`, and at least one if any
   * waits. The frames stay shared: write them, do not change them.
   */
  take(maxBytes: number): readonly Buffer[] {
    const taken = this.#urgent.splice(0);
    let bytes = 0;
    for (const frame of taken) bytes += frame.length;
    for (; this.#head < this.#frames.length; this.#head++) {
      const frame = this.#frames[this.#head];
      if (frame === undefined) continue;
      if (taken.length > 0 && bytes + frame.length > maxBytes) break;
      bytes += frame.length;
      taken.push(frame);
      this.#frames[this.#head] = undefined;
      this.#gaps++;
    }
    this.#pendingBytes -= bytes;
    this.#close();
    return taken;
  }

  /** Closes the gaps that sent and dropped frames left, once they are the greater part. */
  #close(): void {
    const waiting = this.#frames.length - this.#gaps;
    if (waiting > 0 && (this.#gaps < 32 || this.#gaps < waiting)) return;
    const frames: Buffer[] = [];
    const droppable: boolean[] = [];
    this.#frames.forEach((frame, at) => {
      if (frame === undefined) return;
      frames.push(frame);
      droppable.push(this.#droppable[at]!);
    });
    this.#frames = frames;
    this.#droppable = droppable;
    this.#oldest = 0;
    this.#head = 0;
    this.#gaps = 0;
  }
}
