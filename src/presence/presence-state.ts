import { IntervalSet } from "./interval-set.ts";
import { noChanges, Row, type AnyMeta, type Changes, type Slice } from "./row.ts";
import { Ticked } from "./ticked.ts";

/** What is known of one replica. */
interface Part {
  /** The ticks of its clock whose effect is known. */
  readonly seen: IntervalSet;
  /** Its rows that are there. */
  readonly rows: Ticked<Row>;
  /** Rows whose removal was heard of before they were: what else happened in their tick is not known. */
  readonly dead: Set<number>;
}

/** Bytes of a slice's frame, and of one removal in it. */
const sliceOverhead = 96;
const goneOverhead = 24;

/**
 * The state of one replica: an observed-remove set in which each row is added and removed by the replica that made it,
 * and every such act is a tick of that replica's clock. A value: no timers, no I/O.
 *
 * A row that is removed is gone for whoever knows the tick of the removal, in whatever order the two arrive; a row that
 * was added beside it, on another node or later, is another row and stays: adds win. Merging is commutative, associative
 * and idempotent on what is there.
 */
export class PresenceState {
  readonly self: string;
  readonly #parts: Map<string, Part> = new Map();
  readonly #own: Part;
  /** The row that a tick of its own removed. */
  readonly #removals: Ticked<number> = new Ticked();
  readonly #maxRemovals: number;
  /** What was removed up to this tick is not listed any more. */
  #floor = 0;

  constructor(self: string, maxRemovals = 10_000) {
    this.self = self;
    this.#maxRemovals = maxRemovals;
    this.#own = this.know(self);
  }

  /** Its own clock. */
  get clock(): number {
    return this.#own.seen.upTo;
  }

  /** How far a replica's clock is known without a hole; 0 for one that is not known. */
  upTo(replica: string): number {
    return this.#parts.get(replica)?.seen.upTo ?? 0;
  }

  /** From now on what is heard of this replica counts. */
  know(replica: string): Part {
    let part = this.#parts.get(replica);
    if (part === undefined) {
      part = { seen: new IntervalSet(), rows: new Ticked(), dead: new Set() };
      this.#parts.set(replica, part);
    }
    return part;
  }

  /** Everything of a replica goes, what is known of its clock too. Its rows are no longer there. */
  forget(replica: string): void {
    if (replica !== this.self) this.#parts.delete(replica);
  }

  /** The rows of a replica. */
  rowsOf(replica: string): Iterable<Row> {
    return this.#parts.get(replica)?.rows.values() ?? [];
  }

  /** Adds a row of its own; one that takes the place of `before`, in the same tick. */
  add(topic: string, key: string, meta: AnyMeta, size?: number, before?: Row): Row {
    const tick = this.#tick();
    if (before !== undefined) this.#drop(tick, before);
    const row = new Row(this.self, tick, topic, key, meta, before?.clock, size);
    this.#own.rows.set(tick, row);
    return row;
  }

  /** Removes a row of its own. */
  remove(row: Row): void {
    this.#drop(this.#tick(), row);
  }

  /**
   * Takes what another has said of a replica; nothing of one that is not known, or of its own. A page only after all
   * pages before it, from the same holder and from 0 on.
   */
  merge({ replica, from, to, rows, gone }: Slice): Changes {
    const part = this.#parts.get(replica);
    if (part === undefined || part === this.#own) return noChanges;
    const { seen, dead } = part;
    const joins = rows.filter(({ clock }) => !seen.has(clock) && !dead.has(clock));
    const listed = new Set(rows.map(({ clock }) => clock));
    const leaves: Row[] = [];
    for (const [clock, row] of part.rows.between(from, to))
      if (!listed.has(clock)) leaves.push(row);
    for (const [, clock] of gone ?? []) {
      const row = part.rows.get(clock);
      if (row !== undefined && clock <= from) leaves.push(row);
      if (!seen.has(clock)) dead.add(clock);
    }
    for (const { clock } of leaves) part.rows.delete(clock);
    for (const row of joins) part.rows.set(row.clock, row);
    seen.add(from + 1, to);
    for (const clock of dead) if (seen.has(clock)) dead.delete(clock);
    return joins.length + leaves.length === 0 ? noChanges : { joins, leaves };
  }

  /** What it did itself from a tick on, as much as fits; nothing when that is too long ago to know what was removed. */
  delta(from: number, maxBytes: number): Slice | undefined {
    if (from < this.#floor) return undefined;
    const { clock } = this;
    const gone: [number, number][] = [];
    const rows: Row[] = [];
    let bytes = sliceOverhead;
    let to = clock;
    // Both lists ascend: the tick at which the message is full ends it.
    const removals = this.#removals.between(from, clock);
    let removal = removals.next();
    const removalsUntil = (tick: number): boolean => {
      for (; removal.done !== true && removal.value[0] <= tick; removal = removals.next()) {
        if ((bytes += goneOverhead) > maxBytes && gone.length + rows.length > 0) {
          to = removal.value[0] - 1;
          return false;
        }
        gone.push(removal.value);
      }
      return true;
    };
    for (const [tick, row] of this.#own.rows.between(from, clock)) {
      if (!removalsUntil(tick - 1)) return { replica: this.self, from, to, rows, gone };
      if ((bytes += row.bytes) > maxBytes && gone.length + rows.length > 0) {
        to = tick - 1;
        return { replica: this.self, from, to, rows, gone };
      }
      rows.push(row);
      // An update adds and removes in one tick: they stay together.
      if (removal.done !== true && removal.value[0] === tick) {
        bytes += goneOverhead;
        gone.push(removal.value);
        removal = removals.next();
      }
    }
    removalsUntil(clock);
    return { replica: this.self, from, to, rows, gone };
  }

  /** What there is of a replica in ticks `(from, as]`, as much as fits; nothing if less is known than that. */
  page(replica: string, from: number, as: number, maxBytes: number): Slice | undefined {
    const part = this.#parts.get(replica);
    if (part === undefined || part.seen.upTo < as || from >= as) return undefined;
    const rows: Row[] = [];
    let bytes = sliceOverhead;
    for (const [tick, row] of part.rows.between(from, as)) {
      if ((bytes += row.bytes) > maxBytes && rows.length > 0)
        return { replica, from, to: tick - 1, rows, gone: undefined };
      rows.push(row);
    }
    return { replica, from, to: as, rows, gone: undefined };
  }

  #tick(): number {
    const tick = this.clock + 1;
    this.#own.seen.add(tick, tick);
    return tick;
  }

  #drop(tick: number, row: Row): void {
    this.#own.rows.delete(row.clock);
    this.#removals.set(tick, row.clock);
    if (this.#removals.size <= this.#maxRemovals) return;
    const [oldest] = this.#removals.between(this.#floor, tick);
    this.#removals.delete(oldest![0]);
    this.#floor = oldest![0];
  }
}
