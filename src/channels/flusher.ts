import type { Runtime } from "../runtime/internal.ts";
import { SharedRun } from "./shared-run.ts";

/** Something with frames to write. */
export interface Flushable {
  /** It is in line. Owned by the flusher. */
  marked: boolean;
  /** Writes a turn's share of what waits; puts itself in line again if more does. */
  flush(run: SharedRun): void;
}

/** Sockets written between two looks at the outside world, so that a large fan-out holds nobody up. */
const socketsPerTurn = 2_000;

/** Writes what was queued for the sockets of an endpoint: once per turn, when the JavaScript at hand has ended. */
export class Flusher {
  readonly #runtime: Runtime;
  readonly #run = new SharedRun();
  #dirty: Flushable[] = [];
  #scheduled = false;
  readonly #flush = (): void => this.flush();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Puts a socket in line for the end of this turn. */
  mark(socket: Flushable): void {
    if (socket.marked) return;
    socket.marked = true;
    this.#dirty.push(socket);
    this.#schedule();
  }

  /** Writes the next sockets in line. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = dirty.length > socketsPerTurn ? dirty.slice(socketsPerTurn) : [];
    const count = Math.min(dirty.length, socketsPerTurn);
    for (let at = 0; at < count; at++) {
      const socket = dirty[at]!;
      socket.marked = false;
      socket.flush(this.#run);
    }
    this.#run.clear();
    this.#scheduled = false;
    if (this.#dirty.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.turn(this.#flush);
  }
}
