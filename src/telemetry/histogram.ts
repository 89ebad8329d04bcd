/** What a {@link Histogram} has seen, in ms; all but `count` are undefined when that is 0. */
export interface LatencySnapshot {
  /** How many times were recorded. */
  readonly count: number;
  /** The shortest, exactly. */
  readonly minMs: number | undefined;
  /** The arithmetic mean, exactly. */
  readonly meanMs: number | undefined;
  /** The median. */
  readonly p50Ms: number | undefined;
  /** What 95 % do not exceed. */
  readonly p95Ms: number | undefined;
  /** What 99 % do not exceed. */
  readonly p99Ms: number | undefined;
  /** The longest, exactly. */
  readonly maxMs: number | undefined;
}

/** Buckets per octave: each is 1/64 of its lower bound wide at most, so its middle is off by less than 0.8 %. */
const PER_OCTAVE = 64;
const OCTAVE_BITS = 6;
/** Octaves from 2^-10 ms (0.98 µs) to 2^22 ms (70 min). */
const OCTAVES = 32;
const LOWEST_MS = 2 ** -10;
const LOWEST_EXPONENT = -10;
const LAST = OCTAVES * PER_OCTAVE - 1;

const EXPONENT_BIAS = 1023;
/** Of the upper word of a double: 11 bits of exponent, then 20 of its fraction, of which 6 tell the bucket. */
const FRACTION_BITS = 20 - OCTAVE_BITS;
const OFFSET = (EXPONENT_BIAS + LOWEST_EXPONENT) << OCTAVE_BITS;
const double = new DataView(new ArrayBuffer(8));

/** Exponent and first bits of the fraction, taken as one number, count the buckets: no logarithm is needed. */
function bucketOf(ms: number): number {
  if (!(ms > LOWEST_MS)) return 0;
  double.setFloat64(0, ms);
  return Math.min((double.getUint32(0) >>> FRACTION_BITS) - OFFSET, LAST);
}

function middleOf(bucket: number): number {
  const octave = 2 ** ((bucket >> OCTAVE_BITS) + LOWEST_EXPONENT);
  return octave * (1 + ((bucket & (PER_OCTAVE - 1)) + 0.5) / PER_OCTAVE);
}

/**
 * Counts latencies and tells their percentiles, in bounded memory: at most 16 kB, made in pieces of 0.5 kB per octave
 * when it is first seen (latencies between 1 ms and 1 s need 5 kB).
 *
 * Times are in ms, fractional. Percentiles are off by at most 1 % between 1 µs and 70 min, below by at most 1 µs; longer
 * times all count as 70 min there. Count, minimum, mean and maximum are exact. A negative time counts as 0, NaN is
 * ignored.
 */
export class Histogram {
  /** Counts per bucket, by octave; made on first use. */
  readonly #octaves: (Float64Array | undefined)[] = [];
  #count = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  /** How many times were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The shortest time; undefined when empty. */
  get min(): number | undefined {
    return this.#count === 0 ? undefined : this.#minMs;
  }

  /** The longest time; undefined when empty. */
  get max(): number | undefined {
    return this.#count === 0 ? undefined : this.#maxMs;
  }

  /** The arithmetic mean; undefined when empty. */
  get mean(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumMs / this.#count;
  }

  /** Adds a time, `count` times over. */
  record(ms: number, count = 1): void {
    if (Number.isNaN(ms) || !(count > 0)) return;
    const time = ms > 0 ? ms : 0;
    const bucket = bucketOf(time);
    this.#octave(bucket >> OCTAVE_BITS)[bucket & (PER_OCTAVE - 1)]! += count;
    this.#count += count;
    this.#sumMs += time * count;
    if (time < this.#minMs) this.#minMs = time;
    if (time > this.#maxMs) this.#maxMs = time;
  }

  /**
   * The time that at least `p` percent of the recorded times do not exceed (nearest rank), `p` from 0 (the minimum) to
   * 100 (the maximum); undefined when empty.
   */
  percentile(p: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.ceil((p * this.#count) / 100);
    if (rank <= 1) return this.#minMs;
    if (rank >= this.#count) return this.#maxMs;
    let seen = 0;
    for (let bucket = 0; bucket < LAST; bucket++) {
      seen += this.#octaves[bucket >> OCTAVE_BITS]?.[bucket & (PER_OCTAVE - 1)] ?? 0;
      if (seen >= rank) return Math.min(Math.max(middleOf(bucket), this.#minMs), this.#maxMs);
    }
    return Math.min(middleOf(LAST), this.#maxMs);
  }

  /** All figures at once. */
  snapshot(): LatencySnapshot {
    return {
      count: this.#count,
      minMs: this.min,
      meanMs: this.mean,
      p50Ms: this.percentile(50),
      p95Ms: this.percentile(95),
      p99Ms: this.percentile(99),
      maxMs: this.max,
    };
  }

  /** Forgets all times, and keeps the memory. */
  reset(): void {
    for (const counts of this.#octaves) counts?.fill(0);
    this.#count = 0;
    this.#sumMs = 0;
    this.#minMs = Infinity;
    this.#maxMs = 0;
  }

  /** Adds what another histogram has seen, which stays as it is. */
  merge(other: Histogram): void {
    other.#octaves.forEach((counts, octave) => {
      const own = this.#octave(octave);
      counts?.forEach((count, index) => (own[index]! += count));
    });
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#minMs = Math.min(this.#minMs, other.#minMs);
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  #octave(octave: number): Float64Array {
    return (this.#octaves[octave] ??= new Float64Array(PER_OCTAVE));
  }
}
