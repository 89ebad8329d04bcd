/** So many numbers behind the highest may come late. */
const width = 4_096;

/** What one life of a node has said, as far as it was heard: a ring of bits behind the highest number. */
class Life {
  newestMs = 0;
  #highest = 0;
  readonly #bits: Uint32Array = new Uint32Array(width / 32);

  /** Marks a number; false if it was marked, or is too old to know. */
  mark(seq: number): boolean {
    if (seq > this.#highest) this.#advance(seq);
    else if (seq <= this.#highest - width) return false;
    const [word, bit] = [(seq % width) >>> 5, 1 << (seq % 32)];
    if ((this.#bits[word]! & bit) !== 0) return false;
    this.#bits[word]! |= bit;
    return true;
  }

  #advance(seq: number): void {
    if (seq - this.#highest >= width) this.#bits.fill(0);
    else
      for (let one = this.#highest + 1; one <= seq; one++)
        this.#bits[(one % width) >>> 5]! &= ~(1 << (one % 32));
    this.#highest = seq;
  }
}

/**
 * Which numbers of which lives of nodes were heard, so that none is heard twice. A life is remembered for as long as what
 * it said is fresh; who is not fresh need not be asked for here.
 */
export class Replays {
  readonly #freshMs: number;
  readonly #lives: Map<string, Life> = new Map();

  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  /** Lives that are remembered. */
  get size(): number {
    return this.#lives.size;
  }

  /** True the first time that a number of a life comes. */
  isFirst(from: string, seq: number, atMs: number, nowMs: number): boolean {
    let life = this.#lives.get(from);
    if (life === undefined) {
      this.#forget(nowMs);
      this.#lives.set(from, (life = new Life()));
    }
    life.newestMs = Math.max(life.newestMs, atMs);
    return life.mark(seq);
  }

  #forget(nowMs: number): void {
    for (const [from, { newestMs }] of this.#lives)
      if (newestMs + this.#freshMs < nowMs) this.#lives.delete(from);
  }
}
