import { byKey, type ByKey, type Diff } from "./client-shapes.ts";
import type { Changes, Row } from "./row.ts";
import type { VisibleTopic } from "./visible-topic.ts";

interface Pending {
  readonly joins: Set<Row>;
  readonly leaves: Set<Row>;
}

/** What has changed in each topic since its clients were told last; what came and left meanwhile is not in it. A value. */
export class PendingDiffs {
  readonly #topics: Map<string, Pending> = new Map();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get topics(): Iterable<string> {
    return this.#topics.keys();
  }

  add({ joins, leaves }: Changes): void {
    for (const row of joins) {
      const pending = this.#of(row.topic);
      if (!pending.leaves.delete(row)) pending.joins.add(row);
    }
    for (const row of leaves) {
      const pending = this.#of(row.topic);
      if (!pending.joins.delete(row)) pending.leaves.add(row);
    }
  }

  /** Takes what has changed in a topic, if anything has. */
  take(topic: string): Diff | undefined {
    const pending = this.#topics.get(topic);
    this.#topics.delete(topic);
    if (pending === undefined || pending.joins.size + pending.leaves.size === 0) return undefined;
    return { joins: byKey(pending.joins), leaves: byKey(pending.leaves) };
  }

  /** Who is there as far as clients have been told: with the diffs that follow, they know all that is. */
  told(topic: string, visible: VisibleTopic | undefined): ByKey {
    const pending = this.#topics.get(topic);
    const entries = visible?.entries() ?? [];
    if (pending === undefined) return new Map([...entries].map(([key, rows]) => [key, [...rows]]));
    const told = new Map<string, Row[]>();
    for (const [key, rows] of entries) {
      const known = rows.filter((row) => !pending.joins.has(row));
      if (known.length > 0) told.set(key, known);
    }
    for (const row of pending.leaves) {
      const known = told.get(row.key);
      if (known === undefined) told.set(row.key, [row]);
      else known.push(row);
    }
    return told;
  }

  #of(topic: string): Pending {
    let pending = this.#topics.get(topic);
    if (pending === undefined)
      this.#topics.set(topic, (pending = { joins: new Set(), leaves: new Set() }));
    return pending;
  }
}
