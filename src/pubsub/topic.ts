import { gone, sendWork, type Cell, type Own } from "../process/internal.ts";
import type { Self } from "../process/index.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { bus } from "./bus.ts";

/** A typed topic on the system's local bus. */
export interface Topic<T> {
  /** The text that makes two topics one. */
  readonly key: string;
  /**
   * Sends to all subscribers, in the order in which one sender sends; costs a look-up when there are none. At most once:
   * a subscriber with a full mailbox misses it, and that is counted.
   */
  broadcast(message: T): void;
  /** Runs `message` in the mailbox of the subscriber, until disposed or its end. */
  subscribe(subscriber: Self, message: (message: T) => void | Promise<void>): Disposable;
  /** The runtime's own. */
  "~in"(system: System): Topic<T>;
}

class BusTopic<T> implements Topic<T> {
  readonly key: string;
  readonly bound: System | undefined;

  constructor(key: string, bound: System | undefined) {
    this.key = key;
    this.bound = bound;
  }

  "~in"(system: System): Topic<T> {
    return new BusTopic<T>(this.key, system);
  }

  broadcast(message: T): void {
    (this.bound ?? currentSystem()).get(bus).broadcast(this.key, message);
  }

  subscribe(subscriber: Self, message: (message: T) => void | Promise<void>): Disposable {
    const cell: Cell = (subscriber as unknown as Own).cell;
    const subscription = cell.system.get(bus).subscribe(this.key, {
      hear: (heard) => sendWork(cell, () => message(heard as T)),
    });
    void gone(cell).then(() => subscription[Symbol.dispose]());
    return subscription;
  }
}

/**
 * Names a topic of the local bus. Anyone broadcasts; a process subscribes with its `self`.
 *
 * ```ts
 * import { Process, start } from "sluice";
 * import { topic } from "sluice/pubsub";
 *
 * const prices = topic<{ readonly price: number }>("prices");
 * class Board extends Process {
 *   #last = 0;
 *   protected override init(): void {
 *     prices.subscribe(this.self, ({ price }) => {
 *       this.#last = price;
 *     });
 *   }
 *   last(): number {
 *     return this.#last;
 *   }
 * }
 * await using board = await start(Board);
 * prices.broadcast({ price: 42 });
 * console.info(await board.call.last());
 * ```
 */
export function topic<T>(key: string): Topic<T> {
  return new BusTopic<T>(key, undefined);
}

/** A family of topics, one per key. */
export function topics<T>(family: string): (key: string) => Topic<T> {
  return (key) => topic(`${family}/${key}`);
}
