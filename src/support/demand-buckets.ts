/** What an entry of {@link DemandBuckets} carries. The links belong to the buckets: start them undefined, never write them. */
export interface DemandEntry<T> {
  /** A nonnegative integer; change it only through {@link DemandBuckets.move} while the entry is in the buckets. */
  demand: number;
  bucketNext: T | undefined;
  bucketPrevious: T | undefined;
}

/** Demands from here on share one bucket, first come first served. */
const TOP = 32_767;

/**
 * Entries ordered by demand: highest first, FIFO among equals.
 *
 * Adding, removing and finding the highest are O(1) and allocate nothing: one circular list per demand, and a bitmap of
 * three levels of 32 that tells which lists hold somebody. The arrays are as long as the greatest demand seen.
 * Demands above 32,767 count as equal. An entry stands in at most one set of buckets.
 */
export class DemandBuckets<T extends DemandEntry<T>> {
  /** The first entry of each demand; its `bucketPrevious` is the last. */
  readonly #first: (T | undefined)[] = [undefined];
  /** Bit d % 32 of word d / 32: bucket d holds somebody. */
  readonly #words: number[] = [0];
  /** Bit w % 32 of group w / 32: word w is not zero. */
  readonly #groups: number[] = [0];
  /** Bit g: group g is not zero. */
  #root = 0;
  #highest = 0;

  /** The entry that has waited longest among those with the highest demand; it stays. */
  highest(): T | undefined {
    return this.#first[this.#highest];
  }

  /** Puts an entry behind those of equal demand. It must not be in already. */
  add(entry: T): void {
    const bucket = entry.demand < TOP ? entry.demand : TOP;
    while (this.#first.length <= bucket) this.#first.push(undefined);
    const first = this.#first[bucket];
    if (first === undefined) {
      entry.bucketNext = entry;
      entry.bucketPrevious = entry;
      this.#first[bucket] = entry;
      this.#mark(bucket);
      if (bucket > this.#highest) this.#highest = bucket;
      return;
    }
    const last = first.bucketPrevious as T;
    entry.bucketPrevious = last;
    entry.bucketNext = first;
    last.bucketNext = entry;
    first.bucketPrevious = entry;
  }

  /** Takes an entry out; false when it was not in. */
  remove(entry: T): boolean {
    const next = entry.bucketNext;
    if (next === undefined) return false;
    const bucket = entry.demand < TOP ? entry.demand : TOP;
    if (next === entry) {
      this.#first[bucket] = undefined;
      this.#unmark(bucket);
      if (bucket === this.#highest) this.#highest = this.#findHighest();
    } else {
      const previous = entry.bucketPrevious as T;
      previous.bucketNext = next;
      next.bucketPrevious = previous;
      if (this.#first[bucket] === entry) this.#first[bucket] = next;
    }
    entry.bucketNext = undefined;
    entry.bucketPrevious = undefined;
    return true;
  }

  /** Gives an entry another demand, behind those who have it already; adds it if it was not in. */
  move(entry: T, demand: number): void {
    this.remove(entry);
    entry.demand = demand;
    this.add(entry);
  }

  #mark(bucket: number): void {
    const word = bucket >>> 5;
    const group = bucket >>> 10;
    while (this.#words.length <= word) this.#words.push(0);
    while (this.#groups.length <= group) this.#groups.push(0);
    this.#words[word]! |= 1 << (bucket & 31);
    this.#groups[group]! |= 1 << (word & 31);
    this.#root |= 1 << group;
  }

  #unmark(bucket: number): void {
    const word = bucket >>> 5;
    const group = bucket >>> 10;
    if ((this.#words[word]! &= ~(1 << (bucket & 31))) !== 0) return;
    if ((this.#groups[group]! &= ~(1 << (word & 31))) !== 0) return;
    this.#root &= ~(1 << group);
  }

  #findHighest(): number {
    if (this.#root === 0) return 0;
    const group = 31 - Math.clz32(this.#root);
    const word = (group << 5) | (31 - Math.clz32(this.#groups[group]!));
    return (word << 5) | (31 - Math.clz32(this.#words[word]!));
  }
}
