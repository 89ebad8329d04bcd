/** What a broker is asked, and answers once for all of them. */
export type SubscriptionRequest = (
  what: "subscribe" | "unsubscribe",
  topics: readonly string[],
) => Promise<unknown>;

interface Batch {
  readonly what: "subscribe" | "unsubscribe";
  readonly topics: string[];
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Subscriptions in the order in which they are asked for, one request at a time; what waits meanwhile and is alike goes
 * together. For adapters whose clients do not keep that order themselves.
 */
export class SubscriptionQueue {
  readonly #request: SubscriptionRequest;
  readonly #waiting: Batch[] = [];
  #isBusy = false;
  #failure: { readonly error: unknown } | undefined = undefined;

  constructor(request: SubscriptionRequest) {
    this.#request = request;
  }

  /** Resolves when the broker has confirmed all of them. */
  subscribe(topics: readonly string[]): Promise<void> {
    return this.#add("subscribe", topics);
  }

  unsubscribe(topic: string): void {
    this.#add("unsubscribe", [topic]).catch(() => {});
  }

  /** Nothing more is asked: what waits, and what comes, is rejected. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { done } of this.#waiting.splice(0)) done.reject(error);
  }

  #add(what: Batch["what"], topics: readonly string[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    let batch = this.#waiting.at(-1);
    if (batch?.what !== what)
      this.#waiting.push((batch = { what, topics: [], done: Promise.withResolvers() }));
    batch.topics.push(...topics);
    if (!this.#isBusy) void this.#run();
    return batch.done.promise;
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    for (let batch; (batch = this.#waiting.shift()) !== undefined;) {
      const { what, topics, done } = batch;
      try {
        await this.#request(what, topics);
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    }
    this.#isBusy = false;
  }
}
