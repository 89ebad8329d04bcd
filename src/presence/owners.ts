import type { Cell } from "../process/internal.ts";
import type { Row } from "./row.ts";

/** What one process of this node has tracked. */
class Owned {
  readonly #topics: Map<string, Map<string, Row>> = new Map();
  readonly link: Disposable;
  size = 0;

  constructor(link: Disposable) {
    this.link = link;
  }

  get(topic: string, key: string): Row | undefined {
    return this.#topics.get(topic)?.get(key);
  }

  set(row: Row): void {
    let keys = this.#topics.get(row.topic);
    if (keys === undefined) this.#topics.set(row.topic, (keys = new Map<string, Row>()));
    if (!keys.has(row.key)) this.size++;
    keys.set(row.key, row);
  }

  delete({ topic, key }: Row): void {
    const keys = this.#topics.get(topic);
    if (keys?.delete(key) !== true) return;
    this.size--;
    if (keys.size === 0) this.#topics.delete(topic);
  }

  *rows(): Generator<Row> {
    for (const keys of this.#topics.values()) yield* keys.values();
  }
}

/** Which process of this node has tracked what: each key of a topic once, tied to its life while there is any. */
export class Owners {
  readonly #owners: Map<Cell, Owned> = new Map();
  readonly #tie: (owner: Cell) => Disposable;

  /** @param tie ties the life of a process to that of the tracker */
  constructor(tie: (owner: Cell) => Disposable) {
    this.#tie = tie;
  }

  /** How much a process has tracked. */
  count(owner: Cell): number {
    return this.#owners.get(owner)?.size ?? 0;
  }

  get(owner: Cell, topic: string, key: string): Row | undefined {
    return this.#owners.get(owner)?.get(topic, key);
  }

  /** It is this process's, in the place of what it had of this key in this topic. */
  set(owner: Cell, row: Row): void {
    let owned = this.#owners.get(owner);
    if (owned === undefined) this.#owners.set(owner, (owned = new Owned(this.#tie(owner))));
    owned.set(row);
  }

  delete(owner: Cell, row: Row): void {
    const owned = this.#owners.get(owner);
    owned?.delete(row);
    if (owned?.size === 0) this.#release(owner, owned);
  }

  /** Everything of a process. */
  take(owner: Cell): readonly Row[] {
    const owned = this.#owners.get(owner);
    if (owned === undefined) return [];
    this.#release(owner, owned);
    return [...owned.rows()];
  }

  #release(owner: Cell, owned: Owned): void {
    this.#owners.delete(owner);
    owned.link[Symbol.dispose]();
  }
}
