import type { Runtime } from "../runtime/internal.ts";
import type { Position, Read, Slice, Start } from "./log.ts";
import { AppendQueue } from "./append-queue.ts";
import type { Batch, LogStore } from "./log-store.ts";
import { StoredTail } from "./stored-tail.ts";

/** An append waits so long for tails that were opened before it; then it goes on, and they may hear of a gap. */
const openingMs = 1_000;

/** What a {@link StoredTopic} works with. */
export interface StoredTopicOptions<E> {
  readonly runtime: Runtime;
  readonly store: LogStore;
  readonly timeoutMs: number;
  readonly read: (start: Start, limit: number, live: boolean) => Promise<Read<E>>;
  /** So many bytes wait no longer. */
  readonly done: (bytes: number) => void;
  /** Perhaps nobody needs it any more. */
  readonly left: () => void;
}

/** A topic in use here: who hears it, and what waits to be appended. */
export class StoredTopic<E> {
  readonly #name: string;
  readonly #options: StoredTopicOptions<E>;
  readonly #queue: AppendQueue;
  readonly #tails: Set<StoredTail<E>> = new Set();
  #following: Disposable | undefined = undefined;
  #held = false;

  constructor(name: string, options: StoredTopicOptions<E>) {
    const { runtime, store, timeoutMs, done, left } = options;
    this.#name = name;
    this.#options = options;
    this.#queue = new AppendQueue({
      runtime,
      timeoutMs,
      maxBatchBytes: () => store.maxBatchBytes,
      before: (signal) => this.#opened(signal),
      append: (texts, signal) => this.#append(texts, signal),
      done,
      idle: left,
    });
  }

  get idle(): boolean {
    return this.#tails.size === 0 && this.#queue.idle;
  }

  append(texts: readonly string[], bytes: number): Promise<Position> {
    return this.#queue.push(texts, bytes);
  }

  tail(start: Start, listener: (read: Read<E>) => void): Disposable {
    const { runtime, store, read } = this.#options;
    const ended = (): void => {
      this.#tails.delete(tail);
      if (this.#tails.size > 0) return;
      this.#following?.[Symbol.dispose]();
      this.#following = undefined;
      this.#held = false;
      this.#options.left();
    };
    const tail = new StoredTail<E>({ runtime, start, listener, read, ended });
    this.#tails.add(tail);
    if (this.#held) tail.refresh();
    this.#following ??= store.follow(this.#name, {
      held: () => {
        this.#held = true;
        for (const one of this.#tails) one.refresh();
      },
      lost: () => (this.#held = false),
      hear: (batch) => this.#hear(batch),
    });
    return tail;
  }

  close(): void {
    for (const tail of this.#tails) tail[Symbol.dispose]();
  }

  #hear(batch: Batch | undefined): void {
    const slice = batch && sliceOf<E>(batch);
    for (const tail of this.#tails)
      if (slice === undefined) tail.refresh();
      else tail.hear(slice);
  }

  async #append(texts: readonly string[], signal: AbortSignal): Promise<Position> {
    const { store, read } = this.#options;
    if (texts.length === 0) return (await read({ last: 0 }, 0, false)).position;
    return store.append(this.#name, texts, signal);
  }

  /** Whoever began to listen before an append hears it. */
  async #opened(signal: AbortSignal): Promise<void> {
    if (this.#tails.size === 0) return;
    const { runtime } = this.#options;
    let resolve: (() => void) | undefined;
    const late = new Promise<void>((done) => (resolve = done));
    const alarm = runtime.alarm(openingMs, () => resolve?.());
    signal.addEventListener("abort", () => resolve?.(), { once: true });
    await Promise.race([late, Promise.all(Array.from(this.#tails, ({ opened }) => opened))]);
    alarm.cancel();
  }
}

function sliceOf<E>({ epoch, first, entries }: Batch): Slice<E> {
  return {
    entries: entries as readonly E[],
    position: { epoch, offset: first + entries.length - 1 },
  };
}
