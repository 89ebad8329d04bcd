/** Nodes whose newest connection is known, at most: those that connected again last. */
const most = 1_000;

/**
 * Which connection each other node was heard on last, of those that had more than one. What a node gave up may still be on its
 * way, kept by the system of a machine that was cut off, and come when the node has long been heard on another connection: out
 * of order, and after the gap was told.
 */
export class NewestConnections {
  readonly #since: Map<string, number> = new Map();

  /** Whether it comes by a connection that its node had given up before it said what has been heard. */
  isLate(from: string, since: number): boolean {
    if (since === 0 && this.#since.size === 0) return false;
    const newest = this.#since.get(from) ?? 0;
    if (since <= newest) return since < newest;
    this.#since.delete(from);
    this.#since.set(from, since);
    if (this.#since.size > most) this.#since.delete(this.#since.keys().next().value!);
    return false;
  }
}
