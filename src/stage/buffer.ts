import { Deque } from "../support/internal.ts";

/** Events that came together; those from `start` to `end` still wait. */
interface Segment {
  readonly events: readonly unknown[];
  start: number;
  readonly end: number;
  readonly enteredMs: number;
}

/** What was taken from a buffer: one batch, and when the oldest event in it entered the pipeline. */
export interface Taken {
  readonly events: readonly unknown[];
  readonly enteredMs: number;
}

/**
 * Events that nobody has asked for yet, in order, as the batches they came in: a pure value. Full, it keeps the first or
 * the last events and says how many it let go. Every step costs by the batch, not by the event, but for a take that
 * joins several batches.
 */
export class Buffer {
  readonly capacity: number;
  readonly keep: "first" | "last";
  readonly segments: Deque<Segment> = new Deque();
  size = 0;
  /** How many events have left at the front, taken or let go: the place in the flow of the first one that waits. */
  passed = 0;

  constructor(capacity: number, keep: "first" | "last") {
    this.capacity = capacity;
    this.keep = keep;
  }

  /**
   * Adds the events from `start` on; returns how many events were let go, these or older ones. `spare` is how many it
   * holds beyond its capacity this time.
   */
  push(events: readonly unknown[], start: number, enteredMs: number, spare = 0): number {
    const count = events.length - start;
    const excess = Math.max(this.size + count - this.capacity - spare, 0);
    if (this.keep === "first") {
      this.add(events, start, events.length - excess, enteredMs);
      return excess;
    }
    const old = Math.min(excess, this.size);
    if (old > 0) this.dropOldest(old);
    this.passed += excess - old;
    this.add(events, start + excess - old, events.length, enteredMs);
    return excess;
  }

  /** Adds the events from `start` to `end`, whatever the capacity. */
  add(events: readonly unknown[], start: number, end: number, enteredMs: number): void {
    if (end <= start) return;
    this.segments.push({ events, start, end, enteredMs });
    this.size += end - start;
  }

  /** Takes up to `count` events, the oldest first, as one batch; a batch that came whole goes whole, uncopied. */
  take(count: number): Taken | undefined {
    const first = this.segments.at(0);
    if (first === undefined || count <= 0) return undefined;
    const size = Math.min(count, this.size);
    this.size -= size;
    this.passed += size;
    const { events, start, end, enteredMs } = first;
    if (end - start < size) return this.join(size);
    if (end - start === size) this.segments.shift();
    else first.start += size;
    return {
      events: size === events.length ? events : events.slice(start, start + size),
      enteredMs,
    };
  }

  /** How many events of the batch that came first still wait. */
  get firstSize(): number {
    const first = this.segments.at(0);
    return first === undefined ? 0 : first.end - first.start;
  }

  /** One batch out of several. */
  join(size: number): Taken {
    const events = new Array<unknown>(size);
    let enteredMs = Infinity;
    let filled = 0;
    while (filled < size) {
      const segment = this.segments.at(0)!;
      const { events: from, start } = segment;
      const end = Math.min(segment.end, start + size - filled);
      for (let index = start; index < end; index++) events[filled++] = from[index];
      enteredMs = Math.min(enteredMs, segment.enteredMs);
      if (end === segment.end) this.segments.shift();
      else segment.start = end;
    }
    return { events, enteredMs };
  }

  /** Gives back to the front what was taken and could not be used: the events from `start` on. */
  putBack(events: readonly unknown[], start: number, enteredMs: number): void {
    this.segments.unshift({ events, start, end: events.length, enteredMs });
    this.size += events.length - start;
    this.passed -= events.length - start;
  }

  dropOldest(count: number): void {
    this.size -= count;
    this.passed += count;
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
