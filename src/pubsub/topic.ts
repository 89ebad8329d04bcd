import { invalidOption } from "../support/internal.ts";
import { ownOf, sendWork, type Cell, type Open, type Own } from "../process/internal.ts";
import type { Self } from "../process/index.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { bus, type Bus, type Listener } from "./bus.ts";

/** A process hears a topic, until disposed or its end. */
export interface Subscription extends Disposable {
  /**
   * Resolves when it hears what other nodes broadcast from then on: at once where there are none, or none can be reached;
   * after `confirmMs` of `pubsub` all the same. Rejects if the broker refuses.
   */
  readonly confirmed: Promise<void>;
}

/** A typed topic on the system's local bus; with `pubsub`, on that of all nodes, to which messages cross as JSON. */
export interface Topic<T> {
  /** The text that makes two topics one. */
  readonly key: string;
  /**
   * Sends to all subscribers, in the order in which one sender sends; costs a look-up when there are none. At most once:
   * a subscriber with a full mailbox misses it, and that is counted; other nodes miss it while the broker is away.
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if there are other nodes and it is no JSON, or too large; then nobody has it.
   */
  broadcast(message: T): void;
  /** Sends to all subscribers but the subscriptions of this process. @throws SLUICE_PAYLOAD_REFUSED as `broadcast` */
  broadcastFrom(sender: Self, message: T): void;
  /** Sends to the subscribers of this node, by reference: it may be anything. */
  broadcastLocal(message: T): void;
  /**
   * Sends to the subscribers of one node, as JSON also if it is this one; `node` is what `nodeName` says there. Nothing
   * happens where there is no such node.
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if it is no JSON, or too large.
   */
  direct(node: string, message: T): void;
  /** Runs `message` in the mailbox of the subscriber, until disposed or its end; twice, it runs twice. */
  subscribe(subscriber: Self, message: (message: T) => void | Promise<void>): Subscription;
  /** The runtime's own. */
  "~in"(system: System): Topic<T>;
}

/** A process that hears a topic, until it is disposed or the process is gone. */
class ProcessSubscription implements Listener, Open, Subscription {
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

  get confirmed(): Promise<void> {
    return this.#cell.system.get(bus).confirmed(this.#topic) ?? Promise.resolve();
  }

  hear(message: unknown, from: unknown): void {
    if (from === this.#cell) return;
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
    this.#bus.broadcast(this.key, message);
  }

  broadcastFrom(sender: Self, message: T): void {
    const { cell } = sender as unknown as Own;
    cell.system.get(bus).broadcast(this.key, message, cell);
  }

  broadcastLocal(message: T): void {
    this.#bus.broadcastLocal(this.key, message);
  }

  direct(node: string, message: T): void {
    this.#bus.direct(node, this.key, message);
  }

  subscribe(subscriber: Self, message: (message: T) => void | Promise<void>): Subscription {
    const { cell } = subscriber as unknown as Own;
    const heard = message as (message: unknown) => unknown;
    const subscription = new ProcessSubscription(cell, this.key, heard);
    ownOf(cell).opened(subscription);
    return subscription;
  }

  get #bus(): Bus {
    return (this.bound ?? currentSystem()).get(bus);
  }
}

/**
 * Names a topic of the bus. Anyone broadcasts; a process subscribes with its `self`.
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
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for a name that is no text.
 */
export function topic<T>(key: string): Topic<T> {
  if (typeof key !== "string" || key === "") throw invalidOption("topic", key, "a text");
  return new BusTopic<T>(key, undefined);
}

/** A family of topics, one per key. @throws SluiceError `SLUICE_INVALID_OPTION` for a name that is no text. */
export function topics<T>(family: string): (key: string) => Topic<T> {
  if (typeof family !== "string" || family === "") throw invalidOption("topics", family, "a text");
  return (key) => topic(`${family}/${key}`);
}
