import { Deque } from "../support/internal.ts";

interface Segment {
  events: readonly unknown[];
  start: number;
  end: number;
  readonly enteredMs: number;
}

/** What was taken from a buffer: one batch, and when the oldest event in it entered the pipeline. */
export interface Taken {
  readonly events: readonly unknown[];
  readonly enteredMs: number;
}

/**
 * Events that nobody has asked for yet, in order, as the batches they came in: a pure value. Full, it keeps the first or
 * the last events and says how many it let go.
 */
export class Buffer {
  readonly capacity: number;
  readonly keep: "first" | "last";
  readonly segments: Deque<Segment> = new Deque();
  size = 0;

  constructor(capacity: number, keep: "first" | "last") {
    this.capacity = capacity;
    this.keep = keep;
  }

  /** How many more it takes without letting any go. */
  get room(): number {
    return Math.max(this.capacity - this.size, 0);
  }

  /** Adds the events from `start` on; returns how many were let go. */
  push(events: readonly unknown[], start: number, enteredMs: number): number {
    const count = events.length - start;
    const excess = Math.max(this.size + count - this.capacity, 0);
    if (this.keep === "first") {
      this.add(events, start, events.length - excess, enteredMs);
      return excess;
    }
    const dropOld = Math.min(excess, this.size);
    if (dropOld > 0) this.dropOldest(dropOld);
    this.add(events, start + excess - dropOld, events.length, enteredMs);
    return excess;
  }

  /** Adds events whatever the capacity. */
  add(events: readonly unknown[], start: number, end: number, enteredMs: number): void {
    if (end <= start) return;
    this.segments.push({ events, start, end, enteredMs });
    this.size += end - start;
  }

  /** Takes up to `count` events, the oldest first, as one batch; a batch that came whole goes whole, uncopied. */
  take(count: number): Taken | undefined {
    const first = this.segments.at(0);
    if (first === undefined || count <= 0) return undefined;
    const wanted = Math.min(count, this.size);
    this.size -= wanted;
    const { enteredMs } = first;
    const available = first.end - first.start;
    if (available >= wanted) {
      const whole = available === wanted;
      if (whole) this.segments.shift();
      const { events, start } = first;
      first.start += wanted;
      return {
        events: whole && wanted === events.length ? events : events.slice(start, start + wanted),
        enteredMs,
      };
    }
    const batch: unknown[] = [];
    let left = wanted;
    let oldestMs = enteredMs;
    while (left > 0) {
      const segment = this.segments.at(0)!;
      const end = Math.min(segment.end, segment.start + left);
      for (let index = segment.start; index < end; index++) batch.push(segment.events[index]);
      left -= end - segment.start;
      oldestMs = Math.min(oldestMs, segment.enteredMs);
      if (end === segment.end) this.segments.shift();
      else segment.start = end;
    }
    return { events: batch, enteredMs: oldestMs };
  }

  /** Gives back to the front what could not be used. */
  putBack(events: readonly unknown[], start: number, enteredMs: number): void {
    this.segments.unshift({ events, start, end: events.length, enteredMs });
    this.size += events.length - start;
  }

  dropOldest(count: number): void {
    this.size -= count;
    let left = count;
    while (left > 0) {
      const segment = this.segments.at(0)!;
      const dropped = Math.min(left, segment.end - segment.start);
      segment.start += dropped;
      left -= dropped;
      if (segment.start === segment.end) this.segments.shift();
    }
  }
}
