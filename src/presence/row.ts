/** What is said of a presence: any JSON object. */
export type AnyMeta = object;

/** One meta of one presence: who added it, at which tick of its clock, and to what. A value; never changed. */
export class Row {
  readonly replica: string;
  /** The tick of the replica's clock at which it was added: with the replica, its identity everywhere. */
  readonly clock: number;
  readonly topic: string;
  readonly key: string;
  readonly meta: AnyMeta;
  /** The tick of the meta whose place it took. */
  readonly prev: number | undefined;
  /** UTF-16 units of the meta as JSON, near enough to bytes to cut messages by. */
  readonly size: number;

  constructor(
    replica: string,
    clock: number,
    topic: string,
    key: string,
    meta: AnyMeta,
    prev?: number,
    size: number = JSON.stringify(meta).length,
  ) {
    this.replica = replica;
    this.clock = clock;
    this.topic = topic;
    this.key = key;
    this.meta = meta;
    this.prev = prev;
    this.size = size;
  }

  /** How clients know it: Phoenix's `phx_ref`. */
  get ref(): string {
    return refOf(this.replica, this.clock);
  }

  /** How clients know what it took the place of. */
  get prevRef(): string | undefined {
    return this.prev === undefined ? undefined : refOf(this.replica, this.prev);
  }

  /** What it takes in a message, about. */
  get bytes(): number {
    return this.size + this.topic.length + this.key.length + rowOverhead;
  }
}

/** Brackets, quotes, commas and clocks of a row in a message; and a `phx_ref` in one to clients. */
const rowOverhead = 64;

function refOf(replica: string, clock: number): string {
  return `${replica}.${clock.toString(36)}`;
}

/**
 * What a replica did between two ticks of its clock: `(from, to]`. `rows` are all that were added in between and are
 * still there. `gone` says what was removed in between, as pairs of the tick of the removal and that of the row; without
 * it the slice is a page, that holds only behind all pages before it.
 */
export interface Slice {
  readonly replica: string;
  readonly from: number;
  readonly to: number;
  readonly rows: readonly Row[];
  readonly gone: readonly (readonly [tick: number, row: number])[] | undefined;
}

/** What a merge, or an act of one's own, has changed. */
export interface Changes {
  readonly joins: readonly Row[];
  readonly leaves: readonly Row[];
}

/** Nothing. */
export const noChanges: Changes = { joins: [], leaves: [] };
