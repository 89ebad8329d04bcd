import type { Changes, Row } from "./row.ts";
import { VisibleTopic } from "./visible-topic.ts";

/** What is there, as this node sees it: the rows of replicas that are up, by topic. */
export class View {
  readonly #topics: Map<string, VisibleTopic> = new Map();

  get topics(): ReadonlyMap<string, VisibleTopic> {
    return this.#topics;
  }

  /** Rows over all topics. */
  get rows(): number {
    let rows = 0;
    for (const topic of this.#topics.values()) rows += topic.rows;
    return rows;
  }

  of(topic: string): VisibleTopic | undefined {
    return this.#topics.get(topic);
  }

  apply({ joins, leaves }: Changes): void {
    const replaced = new Map<string, Row>();
    if (joins.length > 0) for (const row of leaves) replaced.set(row.ref, row);
    for (const row of joins) {
      let topic = this.#topics.get(row.topic);
      if (topic === undefined) this.#topics.set(row.topic, (topic = new VisibleTopic()));
      const { prevRef } = row;
      const before = prevRef === undefined ? undefined : replaced.get(prevRef);
      topic.add(row, before);
    }
    for (const row of leaves) {
      const topic = this.#topics.get(row.topic);
      topic?.remove(row);
      if (topic?.count === 0) this.#topics.delete(row.topic);
    }
  }
}
