import type { Runtime } from "../../runtime/internal.ts";
import { log } from "../../telemetry/internal.ts";
import type { SendingHalf } from "../socket/sending-half.ts";
import { SharedRun } from "./shared-run.ts";

/** Something with frames to write. */
export interface Flushable {
  /** It is in line. Owned by the flusher. */
  marked: boolean;
  /** Writes a turn's share of what waits; puts itself in line again if more does. */
  flush(run: SharedRun): void;
}

/** Broadcasts that are on their way to all members of a topic, and could be joined by more. */
export interface OpenRun {
  /** Hands them to all, each behind what it has coming from those that are handed out already. */
  handOut(earlier: readonly OpenRun[]): void;
  /** Hands them to one, for whom there is something else now. */
  catchUp(client: SendingHalf): void;
}

const none: readonly never[] = [];
/** Sockets written between two looks at the outside world, so that a large fan-out holds nobody up. */
const socketsPerTurn = 2_000;

/**
 * Writes what was queued for the sockets of an endpoint: once per turn, when the JavaScript at hand has ended. What throws
 * for one socket or topic is told to the log, and hurts no other.
 */
export class Flusher {
  readonly #runtime: Runtime;
  readonly #shared = new SharedRun();
  #dirty: Flushable[] = [];
  #scheduled = false;
  /** Sockets that may still be written in the turn at hand; none but while it begins. */
  #room = 0;
  readonly #flush = (): void => this.flush();
  #run: OpenRun | undefined = undefined;
  /** Topics that are being handed out: more than one when somebody who was told speaks at once. */
  #leaving: readonly OpenRun[] = none;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** What is on its way to a client goes before what it is sent now. */
  catchUp(client: SendingHalf): void {
    for (const run of this.#leaving) run.catchUp(client);
    this.#run?.catchUp(client);
  }

  /** What comes next is for this topic, or for none: what is on its way for another is handed out before. */
  open(run: OpenRun | undefined): void {
    const before = this.#run;
    if (before === run) return;
    this.#run = run;
    if (run !== undefined) this.#schedule();
    if (before === undefined) return;
    const earlier = this.#leaving;
    this.#leaving = earlier === none ? [before] : [...earlier, before];
    try {
      before.handOut(earlier);
    } catch (error) {
      // Whoever speaks now has nothing to do with what was said before.
      log("error", "broadcasts could not be handed out", error);
    }
    this.#leaving = earlier;
  }

  /** Puts a socket in line for the end of this turn. */
  mark(socket: Flushable): void {
    if (socket.marked) return;
    socket.marked = true;
    this.#dirty.push(socket);
    this.#schedule();
  }

  /** Is it the turn of a socket for which nothing waits? Then it is to be written at once, and need not stand in line. */
  takesTurn(): boolean {
    if (this.#room === 0) return false;
    this.#room--;
    return true;
  }

  /** Hands out what is on its way, then writes the next sockets in line. */
  flush(): void {
    this.#room = socketsPerTurn;
    this.open(undefined);
    const dirty = this.#dirty;
    const count = Math.min(dirty.length, this.#room);
    this.#room = 0;
    this.#dirty = dirty.slice(count);
    for (let at = 0; at < count; at++) {
      const socket = dirty[at]!;
      socket.marked = false;
      try {
        socket.flush(this.#shared);
      } catch (error) {
        log("error", "a socket could not be written to", error);
      }
    }
    this.#shared.clear();
    this.#scheduled = false;
    if (this.#dirty.length > 0 || this.#run !== undefined) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.turn(this.#flush);
  }
}
