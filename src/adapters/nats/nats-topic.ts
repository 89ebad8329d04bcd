import type { StoredBatch } from "./nats-batch.ts";

/** Where a topic ends: its present life, the last offset, the bytes of all, and the sequence of the last message. */
export interface TopicEnd {
  readonly life: string;
  readonly last: number;
  readonly total: number;
  /** 0: there is no message. */
  readonly sequence: number;
}

/** So many places are remembered. */
const maxPlaces = 64;

/** What is known of a topic: where it ends, and the sequences of some of its messages. A pure value, never the truth. */
export class NatsTopic {
  readonly #apart: number;
  #end: TopicEnd | undefined = undefined;
  #places: { readonly first: number; readonly sequence: number }[] = [];

  /** @param count so many entries are kept of it. */
  constructor(count: number) {
    this.#apart = Math.ceil(Math.min(count, 2 ** 20) / (maxPlaces / 2));
  }

  /** As it was when something was last seen; it may have gone on. */
  get end(): TopicEnd | undefined {
    return this.#end;
  }

  /** A message was seen. */
  saw({ life, first, before, bytes, entries }: StoredBatch, sequence: number): TopicEnd {
    const end = { life, last: first + entries.length - 1, total: before + bytes, sequence };
    if (life !== this.#end?.life) {
      if (sequence < (this.#end?.sequence ?? 0)) return end;
      this.#places = [];
    }
    if (sequence > (this.#end?.sequence ?? 0)) this.#end = end;
    const last = this.#places.at(-1);
    if (last === undefined || first >= last.first + this.#apart) {
      this.#places.push({ first, sequence });
      if (this.#places.length > maxPlaces) this.#places.shift();
    }
    return end;
  }

  /** What is known is wrong. */
  forget(): void {
    this.#end = undefined;
    this.#places = [];
  }

  /** The sequence of a message at or before an offset, if one is known. */
  before(offset: number): number | undefined {
    return this.#places.findLast(({ first }) => first <= offset)?.sequence;
  }
}
