/** A deadline in a {@link TimerWheel}. */
export interface TimerEntry<T> {
  readonly value: T;
  /** When it is due, as scheduled. */
  readonly atMs: number;
  /** Whether it still waits: neither fired nor cancelled. */
  readonly active: boolean;
}

class Entry<T> implements TimerEntry<T> {
  readonly value: T;
  readonly atMs: number;
  slot: Slot<T> | undefined = undefined;
  next: Entry<T> | undefined = undefined;
  previous: Entry<T> | undefined = undefined;

  constructor(atMs: number, value: T) {
    this.value = value;
    this.atMs = atMs;
  }

  get active(): boolean {
    return this.slot !== undefined;
  }
}

/** The entries of one stretch of time, in the order in which they were scheduled. */
class Slot<T> {
  readonly level: Level<T>;
  readonly bit: number;
  startTick = 0;
  first: Entry<T> | undefined = undefined;
  last: Entry<T> | undefined = undefined;
  /** Not later than any entry here. */
  earliestMs = Infinity;
  /** The earliest entry was cancelled, so `earliestMs` may be too early. */
  stale = false;

  constructor(level: Level<T>, bit: number) {
    this.level = level;
    this.bit = bit;
  }

  append(entry: Entry<T>): void {
    entry.slot = this;
    entry.next = undefined;
    entry.previous = this.last;
    if (this.last === undefined) {
      this.first = entry;
      this.earliestMs = Infinity;
      this.stale = false;
      this.level.occupied |= this.bit;
    } else this.last.next = entry;
    this.last = entry;
    if (entry.atMs < this.earliestMs) this.earliestMs = entry.atMs;
  }

  remove(entry: Entry<T>): void {
    if (entry.previous === undefined) this.first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.slot = entry.next = entry.previous = undefined;
    if (this.first === undefined) this.level.occupied &= ~this.bit;
    else if (entry.atMs === this.earliestMs) this.stale = true;
  }

  refresh(): void {
    this.earliestMs = Infinity;
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      if (entry.atMs < this.earliestMs) this.earliestMs = entry.atMs;
    }
    this.stale = false;
  }

  /** The entries due at `nowMs`, by deadline, then in the order in which they were scheduled. */
  due(nowMs: number): Entry<T>[] {
    const due: Entry<T>[] = [];
    let sorted = true;
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      if (entry.atMs > nowMs) continue;
      if (due.length > 0 && entry.atMs < due[due.length - 1]!.atMs) sorted = false;
      due.push(entry);
    }
    return sorted ? due : due.sort((one, other) => one.atMs - other.atMs);
  }
}

/** 32 slots, so that one word tells which of them are occupied. */
class Level<T> {
  occupied = 0;
  readonly slots: (Slot<T> | undefined)[] = [];

  slot(index: number): Slot<T> {
    return (this.slots[index] ??= new Slot(this, 1 << index));
  }

  get firstOccupied(): Slot<T> {
    return this.slot(31 - Math.clz32(this.occupied & -this.occupied));
  }
}

const LAST_TICK = Number.MAX_SAFE_INTEGER;
/** Bit operations see 32 bits: a tick is handled as its lower 30 bits (6 levels) and what stands above them. */
const HALF = 2 ** 30;
const HALF_LEVELS = 6;

/** Deadlines are sorted into whole milliseconds; inside of one they are sorted when it comes. */
function tickOf(timeMs: number): number {
  return Math.min(Math.floor(timeMs), LAST_TICK);
}

/** The highest of the base-32 digits in which two ticks differ; 0 when they are equal. */
function levelOf(tick: number, cursor: number): number {
  const upper = Math.floor(tick / HALF) ^ Math.floor(cursor / HALF);
  if (upper !== 0) return HALF_LEVELS + Math.floor((31 - Math.clz32(upper)) / 5);
  const lower = tick ^ cursor;
  return lower === 0 ? 0 : Math.floor((31 - Math.clz32(lower)) / 5);
}

function digitOf(tick: number, level: number): number {
  if (level < HALF_LEVELS) return (tick >>> (5 * level)) & 31;
  return (Math.floor(tick / HALF) >>> (5 * (level - HALF_LEVELS))) & 31;
}

/**
 * Deadlines by the thousand: a hierarchical timing wheel. It has no clock; whoever owns it says what time it is.
 *
 * Times are in ms, fractional, on one clock that never goes back; any deadline up to 2^53 ms away works, and `Infinity`
 * never comes. Scheduling and cancelling are O(1); an entry moves at most once per level (32 slots of 32 × the time of
 * the level below) before it fires. Nothing fires early. An empty wheel holds no slots.
 */
export class TimerWheel<T> {
  readonly #levels: (Level<T> | undefined)[] = [];
  /** Entries that were due when they were scheduled. */
  readonly #overdue = new Level<T>();
  #nowMs: number;
  /** An entry stands on the level of the highest digit in which its tick differs from this one. */
  #cursor: number;
  #size = 0;

  /** @param startMs the time now; a wheel that starts far behind its clock only works a little more at first. */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
    this.#cursor = Math.max(0, tickOf(startMs));
  }

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a deadline. One that is due already fires in the next `advance`, also when a callback of the present `advance`
   * schedules it: so an `advance` always ends.
   *
   * @throws RangeError if `atMs` is not a number.
   */
  schedule(atMs: number, value: T): TimerEntry<T> {
    if (Number.isNaN(atMs)) throw new RangeError("atMs must be a number");
    const entry = new Entry(atMs, value);
    if (atMs <= this.#nowMs) this.#overdue.slot(0).append(entry);
    else this.#place(entry);
    this.#size++;
    return entry;
  }

  /** Takes a waiting entry out; false when it fired or was cancelled before. */
  cancel(entry: TimerEntry<T>): boolean {
    const own = entry as Entry<T>;
    if (own.slot === undefined) return false;
    own.slot.remove(own);
    this.#size--;
    return true;
  }

  /**
   * Fires every entry due at `nowMs`, by deadline, then in the order in which they were scheduled. An entry cancelled
   * by an earlier callback does not fire. If a callback throws, the rest stays and fires in the next `advance`. A time
   * before that of the last `advance` does nothing.
   */
  advance(nowMs: number, expired: (value: T) => void): void {
    if (!(nowMs >= this.#nowMs)) return;
    this.#nowMs = nowMs;
    if (this.#overdue.occupied !== 0) this.#fire(this.#overdue.firstOccupied, expired);
    const target = Math.max(this.#cursor, tickOf(nowMs));
    for (;;) {
      const level = this.#firstLevel();
      const slot = level?.firstOccupied;
      if (slot === undefined || slot.startTick > target) break;
      this.#cursor = slot.startTick;
      if (level !== this.#levels[0]) this.#cascade(slot);
      else {
        this.#fire(slot, expired);
        if (slot.startTick === target) break;
      }
    }
    this.#cursor = target;
  }

  /**
   * When to call `advance` next; undefined when nothing waits. Never later than the earliest deadline, and equal to it
   * unless that deadline is more than 32 ms away and an earlier neighbour of it was cancelled.
   */
  nextAt(): number | undefined {
    const level = this.#overdue.occupied !== 0 ? this.#overdue : this.#firstLevel();
    const slot = level?.firstOccupied;
    // Only the short slots: scanning a long one after each cancelled timeout would cost more than a needless wake-up.
    if (slot?.stale === true && level === this.#levels[0]) slot.refresh();
    return slot?.earliestMs;
  }

  /** The lowest occupied level; all its entries come before those of the levels above. */
  #firstLevel(): Level<T> | undefined {
    for (const level of this.#levels) if (level !== undefined && level.occupied !== 0) return level;
    return undefined;
  }

  #place(entry: Entry<T>): void {
    const tick = Math.max(this.#cursor, tickOf(entry.atMs));
    const index = levelOf(tick, this.#cursor);
    const slot = (this.#levels[index] ??= new Level()).slot(digitOf(tick, index));
    const span = 32 ** index;
    slot.startTick = Math.floor(tick / span) * span;
    slot.append(entry);
  }

  #fire(slot: Slot<T>, expired: (value: T) => void): void {
    for (const entry of slot.due(this.#nowMs)) if (this.cancel(entry)) expired(entry.value);
  }

  /** The cursor has come to a slot above the lowest level: its entries go down, in their order. */
  #cascade(slot: Slot<T>): void {
    for (let entry = slot.first; entry !== undefined; entry = slot.first) {
      slot.remove(entry);
      this.#place(entry);
    }
  }
}
