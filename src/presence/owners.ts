import type { Cell } from "../process/internal.ts";
import type { Row } from "./row.ts";
import { Tracked } from "./tracked.ts";

/** What one process of this node has tracked. */
class Owned {
  readonly #topics: Map<string, Map<string, Tracked>> = new Map();
  readonly link: Disposable;
  size = 0;

  constructor(link: Disposable) {
    this.link = link;
  }

  get(topic: string, key: string): Tracked | undefined {
    return this.#topics.get(topic)?.get(key);
  }

  add(row: Row): void {
    let keys = this.#topics.get(row.topic);
    if (keys === undefined) this.#topics.set(row.topic, (keys = new Map<string, Tracked>()));
    this.size++;
    keys.set(row.key, new Tracked(row));
  }

  delete({ topic, key }: Row): void {
    const keys = this.#topics.get(topic);
    keys?.get(key)?.end();
    if (keys?.delete(key) !== true) return;
    this.size--;
    if (keys.size === 0) this.#topics.delete(topic);
  }

  *end(): Generator<Row> {
    for (const keys of this.#topics.values()) for (const one of keys.values()) yield one.end();
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

  get(owner: Cell, topic: string, key: string): Tracked | undefined {
    return this.#owners.get(owner)?.get(topic, key);
  }

  /** It is this process's, that has not tracked this key in this topic. */
  add(owner: Cell, row: Row): void {
    let owned = this.#owners.get(owner);
    if (owned === undefined) this.#owners.set(owner, (owned = new Owned(this.#tie(owner))));
    owned.add(row);
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
    return [...owned.end()];
  }

  #release(owner: Cell, owned: Owned): void {
    this.#owners.delete(owner);
    owned.link[Symbol.dispose]();
  }
}
