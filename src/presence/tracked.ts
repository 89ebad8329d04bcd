import type { TokenBucket } from "../support/internal.ts";
import type { CheckedMeta } from "./check-entry.ts";
import type { Row } from "./row.ts";

/** One key of one topic, as one process of this node has tracked it. */
export class Tracked {
  row: Row;
  /** How often its meta may change; from the first update on. */
  rate: TokenBucket | undefined;
  /** The newest meta, while the rate does not let it out. */
  held: CheckedMeta | undefined;
  #timer: Disposable | undefined;

  constructor(row: Row) {
    this.row = row;
  }

  /** The meta that the next one is made from. */
  get newest(): object {
    return this.held?.meta ?? this.row.meta;
  }

  /** Keeps a meta in the place of the one that is held; `arm` is called for the first, and its timer ends with this. */
  hold(meta: CheckedMeta, arm: () => Disposable): void {
    const isFirst = this.held === undefined;
    this.held = meta;
    if (isFirst) this.#timer = arm();
  }

  /** It is held no longer. */
  release(): CheckedMeta | undefined {
    const meta = this.held;
    this.held = undefined;
    this.#timer = undefined;
    return meta;
  }

  /** It is tracked no longer: what is held will not go out. */
  end(): Row {
    this.#timer?.[Symbol.dispose]();
    this.release();
    return this.row;
  }
}
