import type { NatsConnection as Client, Subscription } from "@nats-io/transport-node";
import type { Connection, ConnectionEvents } from "../../pubsub/index.ts";
import { subjectToken } from "./subject.ts";

/** One connection to a NATS server, which does not come back by itself. */
export class NatsConnection implements Connection {
  readonly maxMessageBytes: number;
  readonly #client: Client;
  readonly #events: ConnectionEvents;
  readonly #prefix: string;
  readonly #subscriptions: Map<string, Subscription> = new Map();
  #isClosed = false;
  /** Rejects when the connection is lost: the client lets what waits for an answer then wait for ever. */
  readonly #over: PromiseWithResolvers<never> = Promise.withResolvers();
  /** The flush that confirms what was published before it, and the one that will confirm what is published now. */
  #flushed: Promise<void> = Promise.resolve();
  #nextFlush: Promise<void> | undefined = undefined;

  constructor(client: Client, events: ConnectionEvents, prefix: string) {
    this.#client = client;
    this.#events = events;
    this.#prefix = prefix;
    this.maxMessageBytes = client.info?.max_payload ?? 2 ** 20;
    this.#over.promise.catch(() => {});
    void client.closed().then((reason) => {
      const why = reason ?? new Error("the connection is closed");
      this.#over.reject(why);
      if (this.#isClosed) return;
      this.#isClosed = true;
      events.lost(why);
    });
  }

  publish(topic: string, text: string): Promise<void> {
    try {
      this.#client.publish(this.#subject(topic), text);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#confirmed();
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    let refusal: { readonly error: Error } | undefined;
    const made = topics.map((topic): [string, Subscription] => {
      const subscription = this.#client.subscribe(this.#subject(topic), {
        callback: (error, message) => {
          // Before the flush is answered: the server does not allow it.
          if (error !== null) refusal ??= { error };
          else this.#events.message(message.string());
        },
      });
      this.#subscriptions.set(topic, subscription);
      return [topic, subscription];
    });
    await this.#flush();
    if (refusal === undefined) return;
    // The server has taken the others.
    for (const [topic, subscription] of made) this.#end(topic, subscription);
    throw refusal.error;
  }

  unsubscribe(topic: string): void {
    const subscription = this.#subscriptions.get(topic);
    if (subscription !== undefined) this.#end(topic, subscription);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What was published is written; nobody reads any more.
    await this.#flush().catch(() => {});
    await this.#client.close().catch(() => {});
  }

  abort(): void {
    this.#isClosed = true;
    this.#over.reject(new Error("the connection was aborted"));
    this.#client.close().catch(() => {});
  }

  #end(topic: string, subscription: Subscription): void {
    if (this.#subscriptions.get(topic) === subscription) this.#subscriptions.delete(topic);
    if (!this.#client.isClosed() && !subscription.isClosed()) subscription.unsubscribe();
  }

  #subject(topic: string): string {
    return `${this.#prefix}.${subjectToken(topic)}`;
  }

  /** One question to the server for all that is published until it is asked. */
  #confirmed(): Promise<void> {
    return (this.#nextFlush ??= this.#flushed =
      this.#flushed.then(() => {
        this.#nextFlush = undefined;
        return this.#flush();
      }));
  }

  /** Resolves when the server has all that was written before. */
  #flush(): Promise<void> {
    return Promise.race([this.#client.flush(), this.#over.promise]);
  }
}
