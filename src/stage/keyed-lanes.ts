import { Deque } from "../support/internal.ts";
import type { Cell } from "../process/internal.ts";
import { Piece, type Arrival } from "./piece.ts";
import type { Line, SetAside } from "./waiting-line.ts";

/** An event that waits for those of its key. */
interface Waiting {
  readonly arrival: Arrival;
  readonly event: unknown;
  /** It was asked for. */
  readonly counted: boolean;
}

/** The events of one key; there while some wait or are worked on. */
export interface Lane {
  readonly key: unknown;
  readonly waiting: Deque<Waiting>;
  /** In line, or at work. */
  busy: boolean;
}

/** Of each key one piece at a time, in order; the keys take turns. */
export class KeyedLanes implements Line {
  readonly #cell: Cell;
  readonly #key: (event: unknown) => unknown;
  readonly #setAside: SetAside;
  readonly #lanes: Map<unknown, Lane> = new Map();
  /** Those whose next piece may begin. */
  readonly #ready: Deque<Lane> = new Deque();
  size = 0;

  constructor(cell: Cell, key: (event: unknown) => unknown, setAside: SetAside) {
    this.#cell = cell;
    this.#key = key;
    this.#setAside = setAside;
  }

  /** Keys that have events here. */
  get keys(): number {
    return this.#lanes.size;
  }

  push(arrival: Arrival): void {
    const { events, counted } = arrival;
    for (let index = 0; index < events.length; index++) {
      const event = events[index];
      this.#lane(event).waiting.push({ arrival, event, counted: index < counted });
    }
    this.size += events.length;
  }

  unshift(arrival: Arrival): void {
    const { events, counted } = arrival;
    for (let index = events.length - 1; index >= 0; index--) {
      const event = events[index];
      this.#lane(event).waiting.unshift({ arrival, event, counted: index < counted });
    }
    this.size += events.length;
  }

  #lane(event: unknown): Lane {
    const key = this.#key(event);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, waiting: new Deque(), busy: false };
      this.#lanes.set(key, lane);
    }
    if (!lane.busy) {
      lane.busy = true;
      this.#ready.push(lane);
    }
    return lane;
  }

  next(most: number): Piece | undefined {
    for (;;) {
      const lane = this.#ready.shift();
      if (lane === undefined) return undefined;
      const piece = this.#take(lane, most);
      if (piece !== undefined) return piece;
      this.#free(lane);
    }
  }

  /** Events of one subscription and one epoch, from the front of a lane. */
  #take(lane: Lane, most: number): Piece | undefined {
    const { waiting } = lane;
    let first: Arrival | undefined;
    const events: unknown[] = [];
    let counted = 0;
    let enteredMs = Infinity;
    while (events.length < most) {
      const next = waiting.at(0);
      if (next === undefined) break;
      const { arrival, event } = next;
      if (first !== undefined && (arrival.intake !== first.intake || arrival.epoch !== first.epoch))
        break;
      waiting.shift();
      this.size--;
      if (arrival.intake.kept !== undefined) {
        this.#setAside(arrival, [event], next.counted ? 1 : 0);
        continue;
      }
      first ??= arrival;
      events.push(event);
      if (next.counted) counted++;
      enteredMs = Math.min(enteredMs, arrival.enteredMs);
    }
    return first && new Piece(this.#cell, first, events, counted, enteredMs, lane);
  }

  ended({ lane }: Piece): void {
    if (lane!.waiting.length > 0) this.#ready.push(lane!);
    else this.#free(lane!);
  }

  #free(lane: Lane): void {
    lane.busy = false;
    this.#lanes.delete(lane.key);
  }
}
