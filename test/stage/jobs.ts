import { forEach, map, type Context } from "sluice";
import type { ConsumerClass, ProducerConsumerClass } from "sluice";

/** Calls that the test lets end, one by one, and what is known of them. */
export class Jobs {
  readonly begun: number[] = [];
  readonly ended: number[] = [];
  /** Events whose signal has aborted. */
  readonly aborted: number[] = [];
  /** Most calls that were open at once. */
  most = 0;
  readonly #open: Map<number, PromiseWithResolvers<void>> = new Map();

  /** Each call lasts until the test ends it; a signal that aborts is noted, and heeded unless it is deaf. */
  async run(event: number, { signal }: Context, isDeaf = false): Promise<number> {
    const job = Promise.withResolvers<void>();
    this.begun.push(event);
    this.#open.set(event, job);
    this.most = Math.max(this.most, this.#open.size);
    signal.addEventListener("abort", () => {
      this.aborted.push(event);
      if (!isDeaf) job.reject(signal.reason);
    });
    try {
      await job.promise;
    } finally {
      this.#open.delete(event);
    }
    this.ended.push(event);
    return event;
  }

  /** Calls that have begun and not ended. */
  get open(): number[] {
    return [...this.#open.keys()].toSorted((a, b) => a - b);
  }

  end(...events: readonly number[]): void {
    for (const event of events) this.#open.get(event)!.resolve();
  }

  fail(event: number, reason: unknown): void {
    this.#open.get(event)!.reject(reason);
  }

  /** A consumer of these calls. */
  consumer(isDeaf = false): ConsumerClass<number> {
    return forEach<number>(async (event, context) => void (await this.run(event, context, isDeaf)));
  }

  /** A producer-consumer of these calls. */
  processor(): ProducerConsumerClass<number, number> {
    return map<number, number>((event, context) => this.run(event, context));
  }
}
