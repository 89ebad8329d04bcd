import { createHash } from "node:crypto";
import type { Connection, ConnectionEvents } from "../../pubsub/index.ts";
import { SubscriptionQueue } from "../../pubsub/internal.ts";
import type { PostgresSession } from "./postgres-session.ts";

/** `NOTIFY` takes less than 8,000 bytes. */
const maxMessageBytes = 7_999;
/** Statements in one question, and messages in one transaction. */
const topicsAtOnce = 1_000;
const messagesAtOnce = 1_000;

interface Batch {
  readonly channels: string[];
  readonly texts: string[];
  readonly done: PromiseWithResolvers<void>;
}

/** Notifies and listens, in one session. */
export class PostgresConnection implements Connection {
  readonly maxMessageBytes: number = maxMessageBytes;
  readonly #session: PostgresSession;
  readonly #prefix: string;
  readonly #subscriptions: SubscriptionQueue;
  /** What is to be notified when the transaction at hand is done. */
  readonly #waiting: Batch[] = [];
  #sending: Promise<void> | undefined = undefined;
  #isOver = false;

  constructor(session: PostgresSession, events: ConnectionEvents, prefix: string) {
    this.#session = session;
    this.#prefix = prefix;
    this.#subscriptions = new SubscriptionQueue((what, topics) => this.#ask(what, topics));
    session.heard((_channel, text) => {
      if (!this.#isOver) events.message(text);
    });
    session.lost((reason) => this.#lost(events, reason));
  }

  publish(topic: string, text: string): Promise<void> {
    if (this.#isOver) return Promise.reject(over());
    let batch = this.#waiting.at(-1);
    if (batch === undefined || batch.texts.length >= messagesAtOnce) {
      batch = { channels: [], texts: [], done: Promise.withResolvers() };
      this.#waiting.push(batch);
    }
    batch.channels.push(this.#channel(topic));
    batch.texts.push(text);
    this.#sending ??= this.#send();
    return batch.done.promise;
  }

  subscribe(topics: readonly string[]): Promise<void> {
    return this.#subscriptions.subscribe(topics);
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.unsubscribe(topic);
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    await this.#sending;
    this.#end();
    await this.#session.end();
  }

  abort(): void {
    this.#end();
    void this.#session.end();
  }

  async #send(): Promise<void> {
    // What is published in one turn goes together.
    await Promise.resolve();
    for (let batch; (batch = this.#waiting.shift()) !== undefined;) {
      const { channels, texts, done } = batch;
      try {
        await this.#session.ask(
          "select pg_notify(channel, message) from unnest($1::text[], $2::text[]) as said (channel, message)",
          [channels, texts],
        );
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    }
    this.#sending = undefined;
  }

  async #ask(what: "subscribe" | "unsubscribe", topics: readonly string[]): Promise<void> {
    const command = what === "subscribe" ? "listen" : "unlisten";
    for (let first = 0; first < topics.length; first += topicsAtOnce) {
      const some = topics.slice(first, first + topicsAtOnce);
      await this.#session.ask(
        some.map((topic) => `${command} "${this.#channel(topic)}"`).join(";"),
      );
    }
  }

  #lost(events: ConnectionEvents, reason: unknown): void {
    if (this.#isOver) return;
    this.#end();
    void this.#session.end();
    events.lost(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#subscriptions.fail(over());
    for (const { done } of this.#waiting.splice(0)) done.reject(over());
  }

  /** Names have 63 bytes: a topic stands there as what it comes to, in letters that need no care. */
  #channel(topic: string): string {
    return `${this.#prefix}_${createHash("sha256").update(topic).digest("base64url")}`;
  }
}

const over = (): Error => new Error("the connection is over");
