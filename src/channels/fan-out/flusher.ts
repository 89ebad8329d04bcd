import type { Runtime } from "../../runtime/internal.ts";
import { log } from "../../telemetry/internal.ts";
import type { SendingHalf } from "../socket/sending-half.ts";
import { SharedRun } from "./shared-run.ts";

/** Something with frames to write. */
export interface Flushable {
  /** It is in line, or being written. Owned by the flusher. */
  marked: boolean;
  /** Writes a turn's share of what waits. @returns whether it is to stay in line, for what else does */
  flush(run: SharedRun): boolean;
}

/** Broadcasts that are on their way to all members of a topic, and could be joined by more. */
export interface OpenRun {
  /** So many have been said on the topic. */
  readonly end: number;
  /** Hands them to all, each behind what it has coming from those that are handed out already. */
  handOut(earlier: readonly LeavingRun[]): void;
  /** Hands them to one, for whom there is something else now; all, or those up to an end. */
  catchUp(client: SendingHalf, end?: number): void;
}

/** Broadcasts that are being handed out. */
export interface LeavingRun {
  readonly run: OpenRun;
  /** What is said on their topic from here on was said later. */
  readonly end: number;
}

const none: readonly never[] = [];
/** Writes between two looks at the outside world, at most, so that a large fan-out holds nobody up. */
const writesPerTurn = 2_000;

/**
 * Writes what was queued for the sockets of an endpoint: once per turn, when the JavaScript at hand has ended; and knows who
 * may be written without queuing. What throws for one socket or topic is told to the log, and hurts no other.
 */
export class Flusher {
  readonly #runtime: Runtime;
  readonly #shared = new SharedRun();
  #dirty: Flushable[] = [];
  #scheduled = false;
  /** Writes that may still happen at once, before the next flush. */
  #room = writesPerTurn;
  /** Those that have, since the last flush: nobody knows how many of them since the last look at the outside world. */
  #ahead = 0;
  /** What is on its way is handed out for the last time in this turn. */
  #handsOut = false;
  readonly #flush = (): void => this.flush();
  #run: OpenRun | undefined = undefined;
  /** Topics that are being handed out: more than one when somebody who was told speaks at once. */
  #leaving: readonly LeavingRun[] = none;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** What is on its way to a client goes before what it is sent now. */
  catchUp(client: SendingHalf): void {
    for (const { run } of this.#leaving) run.catchUp(client);
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
    this.#leaving = [...earlier, { run: before, end: before.end }];
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

  /** May a socket for which nothing waits be written what is handed out to it, and need not stand in line? */
  takesTurn(): boolean {
    return this.#handsOut && this.#takesRoom();
  }

  /** The same for an answer, before the turn ends. */
  goesAhead(): boolean {
    if (!this.#takesRoom()) return false;
    this.#ahead++;
    this.#schedule();
    return true;
  }

  /** Hands out what is on its way, then writes the next sockets in line. */
  flush(): void {
    let left = writesPerTurn - this.#ahead;
    this.#ahead = 0;
    // Who stands in line does so from before, and is not to be kept there by those who need not.
    const room = (this.#room = Math.max(left - this.#dirty.length, 0));
    this.#handsOut = true;
    this.open(undefined);
    this.#handsOut = false;
    left -= room - this.#room;
    const dirty = this.#dirty;
    const count = Math.min(dirty.length, left);
    this.#dirty = dirty.slice(count);
    this.#room = left - count;
    for (let at = 0; at < count; at++) {
      const socket = dirty[at]!;
      try {
        socket.marked = socket.flush(this.#shared);
      } catch (error) {
        socket.marked = false;
        log("error", "a socket could not be written to", error);
      }
      if (socket.marked) this.#dirty.push(socket);
    }
    this.#shared.clear();
    this.#scheduled = false;
    if (this.#dirty.length > 0 || this.#run !== undefined) this.#schedule();
  }

  #takesRoom(): boolean {
    if (this.#room === 0) return false;
    this.#room--;
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.turn(this.#flush);
  }
}
