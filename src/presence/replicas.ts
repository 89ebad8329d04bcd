/** What a replica is to this node. */
export type ReplicaStatus = "up" | "down";

interface Known {
  node: string | undefined;
  status: ReplicaStatus;
  heardMs: number;
}

/** What it means that something was heard of a replica. */
export type Heard =
  /** It was up. */
  | "known"
  /** It was not known. */
  | "new"
  /** It was down. */
  | "back"
  /** It has ended: what still comes of it came late. */
  | "retired"
  /** There are too many. */
  | "full";

/** How long silence means what. */
export interface ReplicaPeriods {
  readonly downMs: number;
  readonly forgetMs: number;
}

/** More than so many are not believed. */
const maxReplicas = 1_000;
const maxRetired = 10_000;

/** The other replicas, and who of them is up. A value: time is handed in, from a monotonic clock. */
export class Replicas {
  readonly #periods: ReplicaPeriods;
  readonly #known: Map<string, Known> = new Map();
  /** Those that are never back, and until when that has to be known. */
  readonly #retired: Map<string, number> = new Map();

  constructor(periods: ReplicaPeriods) {
    this.#periods = periods;
  }

  isUp(id: string): boolean {
    return this.#known.get(id)?.status === "up";
  }

  /** Those that are up. */
  *up(): Generator<string> {
    for (const [id, { status }] of this.#known) if (status === "up") yield id;
  }

  /** Up or down. */
  get count(): number {
    return this.#known.size;
  }

  /** Something came from it. */
  heard(id: string, nowMs: number): Heard {
    if (this.#retired.has(id)) return "retired";
    const known = this.#known.get(id);
    if (known === undefined) {
      if (this.#known.size >= maxReplicas) return "full";
      this.#known.set(id, { node: undefined, status: "up", heardMs: nowMs });
      return "new";
    }
    known.heardMs = nowMs;
    if (known.status === "up") return "known";
    known.status = "up";
    return "back";
  }

  /** A node of this name is `id` now: those before it are down. They are back if they are heard of again. */
  rename(id: string, node: string): string[] {
    const down: string[] = [];
    for (const [other, known] of this.#known) {
      if (other === id) known.node = node;
      else if (known.node === node && known.status === "up") {
        known.status = "down";
        down.push(other);
      }
    }
    return down;
  }

  /** It has ended for good. */
  retire(id: string, nowMs: number): void {
    this.#known.delete(id);
    this.#retired.set(id, nowMs + this.#periods.forgetMs);
    // Oldest first.
    if (this.#retired.size > maxRetired) this.#retired.delete(this.#retired.keys().next().value!);
  }

  /** Who has become down by silence, and who has been silent for so long that it is forgotten. */
  sweep(nowMs: number): {
    readonly down: readonly string[];
    readonly forgotten: readonly string[];
  } {
    const down: string[] = [];
    const forgotten: string[] = [];
    for (const [id, known] of this.#known) {
      const silentMs = nowMs - known.heardMs;
      // Whoever is up is down before it is forgotten: what it had has to leave.
      if (known.status === "up") {
        if (silentMs < this.#periods.downMs) continue;
        known.status = "down";
        down.push(id);
      } else if (silentMs >= this.#periods.forgetMs) {
        this.#known.delete(id);
        forgotten.push(id);
      }
    }
    for (const [id, untilMs] of this.#retired) if (untilMs <= nowMs) this.#retired.delete(id);
    return { down, forgotten };
  }

  /** This node itself stood still: nobody is to blame for what it did not hear meanwhile. */
  excuse(ms: number): void {
    for (const known of this.#known.values()) known.heardMs += ms;
  }
}
