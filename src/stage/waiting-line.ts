import { Deque } from "../support/internal.ts";
import type { Cell } from "../process/internal.ts";
import { Piece, type Arrival } from "./piece.ts";

/** Events that have come and have not begun, and which of them may. */
export interface Line {
  /** How many wait. */
  readonly size: number;
  /** More have come. */
  push(arrival: Arrival): void;
  /** Some come back, before all that wait. */
  unshift(arrival: Arrival): void;
  /** The next ones, at most so many, all of one subscription; none, if none may begin. */
  next(most: number): Piece | undefined;
  /** A piece has ended. */
  ended(piece: Piece): void;
}

/** Takes out of the line what waits of a paused subscription. */
export type SetAside = (arrival: Arrival, events: readonly unknown[], counted: number) => void;

/** First come, first begun. */
export class WaitingLine implements Line {
  readonly #cell: Cell;
  readonly #setAside: SetAside;
  readonly #arrivals: Deque<Arrival> = new Deque();
  size = 0;

  constructor(cell: Cell, setAside: SetAside) {
    this.#cell = cell;
    this.#setAside = setAside;
  }

  push(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.size += arrival.events.length;
  }

  unshift(arrival: Arrival): void {
    this.#arrivals.unshift(arrival);
    this.size += arrival.events.length;
  }

  next(most: number): Piece | undefined {
    for (;;) {
      const arrival = this.#arrivals.at(0);
      if (arrival === undefined) return undefined;
      const { events, start, counted } = arrival;
      const paused = arrival.intake.kept !== undefined;
      const end = paused ? events.length : Math.min(start + most, events.length);
      this.size -= end - start;
      if (end === events.length) this.#arrivals.shift();
      const batch = end - start === events.length ? events : events.slice(start, end);
      const size = Math.min(end - start, counted);
      if (paused) {
        this.#setAside(arrival, batch, size);
        continue;
      }
      arrival.start = end;
      arrival.counted -= size;
      return new Piece(this.#cell, arrival, batch, size, arrival.enteredMs);
    }
  }

  ended(): void {}
}
