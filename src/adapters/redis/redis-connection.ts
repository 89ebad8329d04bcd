import type { createClient } from "redis";
import type { Connection, ConnectionEvents } from "../../pubsub/index.ts";
import { SubscriptionQueue } from "../../pubsub/internal.ts";

/** A client of `redis`. */
export type Client = ReturnType<typeof createClient>;

/** What a value of Redis may hold, unless its server says less. */
const maxMessageBytes = 2 ** 29;

/** Two clients, one that speaks and one that hears: Redis wants them apart. With either of them both are lost. */
export class RedisConnection implements Connection {
  readonly maxMessageBytes: number = maxMessageBytes;
  readonly #speaker: Client;
  readonly #hearer: Client;
  readonly #prefix: string;
  readonly #subscriptions: SubscriptionQueue;
  #isOver = false;

  constructor(speaker: Client, hearer: Client, events: ConnectionEvents, prefix: string) {
    this.#speaker = speaker;
    this.#hearer = hearer;
    this.#prefix = prefix;
    const listener = (text: string): void => {
      if (!this.#isOver) events.message(text);
    };
    this.#subscriptions = new SubscriptionQueue((what, topics) =>
      hearer[what](
        topics.map((topic) => this.#channel(topic)),
        listener,
      ),
    );
    for (const client of [speaker, hearer])
      for (const event of ["error", "end"] as const)
        client.on(event, (reason: unknown) => this.#lost(events, reason));
  }

  publish(topic: string, text: string): Promise<void> {
    if (this.#isOver) return Promise.reject(over());
    return this.#speaker.publish(this.#channel(topic), text).then(() => {});
  }

  subscribe(topics: readonly string[]): Promise<void> {
    return this.#subscriptions.subscribe(topics);
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.unsubscribe(topic);
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#subscriptions.fail(over());
    this.#hearer.destroy();
    // What was published is answered first.
    await this.#speaker.close().catch(() => {});
    this.#speaker.destroy();
  }

  abort(): void {
    this.#end();
  }

  #lost(events: ConnectionEvents, reason: unknown): void {
    if (this.#isOver) return;
    this.#end();
    events.lost(reason ?? new Error("the server has closed the connection"));
  }

  #end(): void {
    this.#isOver = true;
    this.#subscriptions.fail(over());
    this.#hearer.destroy();
    this.#speaker.destroy();
  }

  #channel(topic: string): string {
    return `${this.#prefix}:${topic}`;
  }
}

const over = (): Error => new Error("the connection is over");
