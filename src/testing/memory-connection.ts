import type { Connection, ConnectionEvents } from "../pubsub/index.ts";
import type { MemoryLine } from "./memory-line.ts";

/** Where the connections of a hub meet. */
export interface Exchange {
  readonly maxMessageBytes: number;
  /** To every connection that is subscribed. */
  spread(topic: string, text: string): void;
  left(connection: MemoryConnection): void;
}

/** One node's connection to a hub in memory. */
export class MemoryConnection implements Connection {
  readonly maxMessageBytes: number;
  /** As the hub knows them. */
  readonly topics: Set<string> = new Set();
  readonly #exchange: Exchange;
  readonly #events: ConnectionEvents;
  readonly #toHub: MemoryLine;
  readonly #fromHub: MemoryLine;
  /** Requests that are not answered. */
  readonly #open: Set<PromiseWithResolvers<void>> = new Set();
  #isOver = false;

  constructor(
    exchange: Exchange,
    events: ConnectionEvents,
    toHub: MemoryLine,
    fromHub: MemoryLine,
  ) {
    this.maxMessageBytes = exchange.maxMessageBytes;
    this.#exchange = exchange;
    this.#events = events;
    this.#toHub = toHub;
    this.#fromHub = fromHub;
  }

  publish(topic: string, text: string): Promise<void> {
    return this.#request(() => this.#exchange.spread(topic, text));
  }

  subscribe(topics: readonly string[]): Promise<void> {
    return this.#request(() => {
      for (const topic of topics) this.topics.add(topic);
    });
  }

  unsubscribe(topic: string): void {
    this.#request(() => void this.topics.delete(topic)).catch(() => {});
  }

  /** What was published is on its way, and arrives. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    for (const { resolve } of this.#open) resolve();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#end();
    for (const { reject } of this.#open) reject(new Error("the connection was aborted"));
  }

  /** The hub has a message for it. */
  hear(text: string): void {
    this.#fromHub.send(() => {
      if (!this.#isOver) this.#events.message(text);
    }, true);
  }

  /** The hub is gone. */
  lose(reason: Error): void {
    if (this.#isOver) return;
    this.#end();
    for (const { reject } of this.#open) reject(reason);
    this.#events.lost(reason);
  }

  #request(arrive: () => void): Promise<void> {
    if (this.#isOver) return Promise.reject(new Error("the connection is over"));
    const answer = Promise.withResolvers<void>();
    this.#open.add(answer);
    this.#toHub.send(() => {
      arrive();
      this.#fromHub.send(() => {
        this.#open.delete(answer);
        answer.resolve();
      });
    });
    return answer.promise;
  }

  #end(): void {
    this.#isOver = true;
    this.#exchange.left(this);
  }
}
