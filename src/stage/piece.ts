import type { Scope, System } from "../runtime/internal.ts";
import { LazySignal, type Cell } from "../process/internal.ts";
import type { Epoch } from "./epochs.ts";
import type { Intake } from "./intake.ts";
import type { Lane } from "./keyed-lanes.ts";

/** Events that came in one message, as far as they have not begun. */
export interface Arrival {
  readonly intake: Intake;
  readonly events: readonly unknown[];
  /** When the oldest of them entered the pipeline. */
  readonly enteredMs: number;
  readonly epoch: Epoch;
  /** Where those begin that still wait. */
  start: number;
  /** How many of those were asked for. */
  counted: number;
}

/** Events that are worked on in one call: a piece of the work in flight. */
export class Piece implements Scope {
  /** What the call is given. */
  readonly context: LazySignal = new LazySignal();
  readonly cell: Cell;
  readonly arrival: Arrival;
  readonly events: readonly unknown[];
  readonly counted: number;
  /** When the oldest of them entered the pipeline. */
  readonly enteredMs: number;
  readonly lane: Lane | undefined;
  /** What it gave, once it has settled. */
  failed = false;
  value: unknown = undefined;
  /** It has ended; `value` may wait for its turn. */
  ended = false;

  constructor(
    cell: Cell,
    arrival: Arrival,
    events: readonly unknown[],
    counted: number,
    enteredMs: number,
    lane?: Lane,
  ) {
    this.cell = cell;
    this.arrival = arrival;
    this.events = events;
    this.counted = counted;
    this.enteredMs = enteredMs;
    this.lane = lane;
  }

  get system(): System {
    return this.cell.system;
  }

  get scopeSignal(): AbortSignal {
    return this.context.signal;
  }
}
