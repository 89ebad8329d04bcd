import { firstPlace } from "../support/internal.ts";
import type { Row } from "./row.ts";

const none: readonly Row[] = [];

/** Who is in one topic, as this node sees it: rows by key, in the order in which they came; an update keeps its place. */
export class VisibleTopic {
  readonly #keys: Map<string, Row[]> = new Map();
  /** The keys in order, until one comes or goes. */
  #sorted: string[] | undefined = undefined;
  rows = 0;

  /** How many keys there are. */
  get count(): number {
    return this.#keys.size;
  }

  of(key: string): readonly Row[] {
    return this.#keys.get(key) ?? none;
  }

  entries(): Iterable<[string, readonly Row[]]> {
    return this.#keys;
  }

  /** The keys in the order of their code units, those after `after`, `limit` at most. */
  page(after: string | undefined, limit: number): readonly string[] {
    const keys = (this.#sorted ??= [...this.#keys.keys()].sort());
    const first =
      after === undefined ? 0 : firstPlace(keys.length, (place) => keys[place]! > after);
    return keys.slice(first, first + limit);
  }

  /** Takes the place of `before` if that is there. */
  add(row: Row, before?: Row): void {
    const rows = this.#keys.get(row.key);
    if (rows === undefined) {
      this.#keys.set(row.key, [row]);
      this.#sorted = undefined;
    } else {
      const at = before === undefined ? -1 : rows.indexOf(before);
      if (at < 0) rows.push(row);
      else {
        rows[at] = row;
        return;
      }
    }
    this.rows++;
  }

  remove(row: Row): void {
    const rows = this.#keys.get(row.key);
    const at = rows?.indexOf(row) ?? -1;
    if (at < 0) return;
    rows!.splice(at, 1);
    this.rows--;
    if (rows!.length > 0) return;
    this.#keys.delete(row.key);
    this.#sorted = undefined;
  }
}
