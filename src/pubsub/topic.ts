import { ownOf, sendWork, type Cell, type Open, type Own } from "../process/internal.ts";
import type { Self } from "../process/index.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { bus, type Listener } from "./bus.ts";

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

/** A process that hears a topic, until it is disposed or the process is gone. */
class Subscription implements Listener, Open {
  readonly #cell: Cell;
  readonly #topic: string;
  readonly #message: (message: unknown) => unknown;
  #live = true;

  constructor(cell: Cell, topic: string, message: (message: unknown) => unknown) {
    this.#cell = cell;
    this.#topic = topic;
    this.#message = message;
    cell.system.get(bus).subscribe(topic, this);
  }

  hear(message: unknown): void {
    // What was heard before it is disposed may still wait in the mailbox.
    sendWork(this.#cell, () => (this.#live ? this.#message(message) : undefined));
  }

  close(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#cell.system.get(bus).unsubscribe(this.#topic, this);
    ownOf(this.#cell).closed(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
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
    const { cell } = subscriber as unknown as Own;
    const subscription = new Subscription(cell, this.key, message as (message: unknown) => unknown);
    return ownOf(cell).opened(subscription);
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
