import { checkInteger, invalidOption, SluiceError } from "../support/internal.ts";
import { currentSystem, type Runtime, type System } from "../runtime/internal.ts";
import type { Log, Position, Read, Slice, Start } from "./log.ts";
import { checkEntries, checkListener, checkPosition, checkStart, checkTopic } from "./log-input.ts";
import { timedOut } from "./append-queue.ts";
import { textsOf } from "./entry-text.ts";
import type { LogStore } from "./log-store.ts";
import { StoredTopic } from "./stored-topic.ts";

/** What every log on a server can be told. */
export interface StoredLogOptions {
  /** How long a call waits for the server, in ms; default 5,000. Then it rejects with SLUICE_TIMEOUT. */
  readonly timeoutMs?: number;
  /** Bytes of entries that wait for the server; default 16 MiB. Beyond, appends reject with SLUICE_BUFFER_FULL. */
  readonly maxWaitingBytes?: number;
}

/** The names of what every log on a server can be told, its bounds included. */
export const storedLogOptions: readonly string[] = [
  ...["count", "bytes", "ageMs"],
  ...["timeoutMs", "maxWaitingBytes"],
];

/** A log on a server: opened by `redisLog`, `natsLog` or `postgresLog`, closed by whoever opened it. */
export interface ServerLog<E> extends Log<E>, AsyncDisposable {
  /** Ends all tails, waits for what is being appended, and lets go of the server. Calls after it reject. */
  close(): Promise<void>;
}

/** The half of a log on a server that is the same for each: see {@link LogStore}. */
export class StoredLog<E> implements ServerLog<E> {
  readonly #runtime: Runtime;
  readonly #store: LogStore;
  readonly #timeoutMs: number;
  readonly #maxWaitingBytes: number;
  readonly #topics: Map<string, StoredTopic<E>> = new Map();
  readonly #appends: Set<Promise<unknown>> = new Set();
  #waitingBytes = 0;
  #closed: Promise<void> | undefined = undefined;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(options: StoredLogOptions, open: (system: System) => LogStore) {
    const { timeoutMs = 5_000, maxWaitingBytes = 16 * 2 ** 20 } = options;
    checkInteger("timeoutMs", timeoutMs, 1, 2 ** 31 - 1);
    checkInteger("maxWaitingBytes", maxWaitingBytes, 1);
    const system = currentSystem();
    this.#runtime = system.runtime;
    if (this.#runtime.simulated)
      throw new SluiceError("SLUICE_REAL_IO", "a simulation cannot reach a server: use MemoryLog", {
        what: "a log on a server",
      });
    this.#timeoutMs = timeoutMs;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#store = open(system);
  }

  async append(name: string, entries: readonly E[]): Promise<Position> {
    checkTopic(name);
    checkEntries(entries);
    const { maxBatchBytes } = this.#store;
    const { texts, bytes } = textsOf(entries);
    if (bytes > maxBatchBytes)
      throw invalidOption("entries", `${bytes} bytes`, `at most ${maxBatchBytes} bytes together`);
    this.#checkOpen("append", name);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#maxWaitingBytes)
      throw new SluiceError(
        "SLUICE_BUFFER_FULL",
        `${this.#waitingBytes} bytes wait for ${this.#store.name} already`,
        { limit: this.#maxWaitingBytes },
      );
    this.#waitingBytes += bytes;
    const appended = this.#topic(name).append(texts, bytes);
    this.#appends.add(appended);
    try {
      return await appended;
    } catch (error) {
      throw this.#failed("append", name, error);
    } finally {
      this.#appends.delete(appended);
    }
  }

  async read(topic: string, after: Position, limit: number): Promise<Read<E>> {
    checkTopic(topic);
    checkPosition(after);
    checkInteger("limit", limit, 1);
    return this.#read(topic, { after }, limit, false);
  }

  async last(topic: string, count: number): Promise<Slice<E>> {
    checkTopic(topic);
    checkInteger("count", count, 0);
    const { entries, position } = await this.#read(topic, { last: count }, count, false);
    return { entries, position };
  }

  tail(name: string, start: Start, listener: (read: Read<E>) => void): Disposable {
    checkTopic(name);
    checkStart(start);
    checkListener(listener);
    this.#checkOpen("tail", name);
    return this.#topic(name).tail(start, listener);
  }

  async drop(topic: string): Promise<void> {
    checkTopic(topic);
    await this.#ask("drop", topic, (signal) => this.#store.drop(topic, signal));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const topic of this.#topics.values()) topic.close();
    await Promise.allSettled(this.#appends);
    await this.#store.close();
  }

  async #read(topic: string, start: Start, limit: number, live: boolean): Promise<Read<E>> {
    return this.#ask("read", topic, async (signal) => {
      const read = await this.#store.read({ topic, start, limit, live, signal });
      return read as Read<E>;
    });
  }

  #topic(name: string): StoredTopic<E> {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic: StoredTopic<E> = new StoredTopic<E>(name, {
      runtime: this.#runtime,
      store: this.#store,
      timeoutMs: this.#timeoutMs,
      read: (start, limit, live) => this.#read(name, start, limit, live),
      done: (bytes) => (this.#waitingBytes -= bytes),
      left: () => {
        if (topic.idle && this.#topics.get(name) === topic) this.#topics.delete(name);
      },
    });
    this.#topics.set(name, topic);
    return topic;
  }

  /** Asks the store, for a bounded time. */
  async #ask<R>(
    operation: string,
    topic: string,
    ask: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    this.#checkOpen(operation, topic);
    const aborter = new AbortController();
    let alarm: { cancel(): void } | undefined;
    const late = new Promise<never>((_, reject) => {
      alarm = this.#runtime.alarm(this.#timeoutMs, () => {
        const error = timedOut(this.#timeoutMs);
        reject(error);
        aborter.abort(error);
      });
    });
    try {
      return await Promise.race([ask(aborter.signal), late]);
    } catch (error) {
      throw this.#failed(operation, topic, error);
    } finally {
      alarm?.cancel();
    }
  }

  #checkOpen(operation: string, topic: string): void {
    if (this.#closed !== undefined)
      throw this.#failed(operation, topic, new Error("this log is closed"));
  }

  #failed(operation: string, topic: string, cause: unknown): Error {
    if (cause instanceof SluiceError) return cause;
    const store = this.#store.name;
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `${store} did not ${operation} ${JSON.stringify(topic)}: ${why}`;
    return new SluiceError("SLUICE_STORE_FAILED", text, { store, operation, topic }, { cause });
  }
}
