import { Deque, SluiceError } from "../support/internal.ts";
import type { Alarm, Runtime } from "../runtime/internal.ts";
import type { Position } from "./log.ts";

/** Calls are joined up to so many entries, lest a server works on one batch for long. */
const maxEntries = 1_000;

interface Waiting {
  readonly texts: readonly string[];
  readonly bytes: number;
  readonly untilMs: number;
  readonly resolve: (position: Position) => void;
  readonly reject: (error: unknown) => void;
}

/** What an {@link AppendQueue} works with. */
export interface AppendQueueOptions {
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  readonly maxBatchBytes: () => number;
  /** Resolves when what has to come first has come; not later than `signal` aborts. */
  readonly before: (signal: AbortSignal) => Promise<void>;
  readonly append: (texts: readonly string[], signal: AbortSignal) => Promise<Position>;
  /** So many bytes wait no longer. */
  readonly done: (bytes: number) => void;
  /** Nothing waits any more. */
  readonly idle: () => void;
}

/**
 * The appends of one topic, in the order of the calls: one batch is on its way, and what is called meanwhile makes the
 * next one. Each call is over when its time is.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  readonly #waiting: Deque<Waiting> = new Deque();
  #alarm: Alarm | undefined = undefined;
  #busy = false;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  /** Resolves with the position of the last of them. */
  push(texts: readonly string[], bytes: number): Promise<Position> {
    return new Promise((resolve, reject) => {
      const untilMs = this.#options.runtime.now() + this.#options.timeoutMs;
      this.#waiting.push({ texts, bytes, untilMs, resolve, reject });
      if (!this.#busy) void this.#run();
      else this.#watch();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // What is called in one go makes one batch.
    await Promise.resolve();
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#send(batch);
    this.#busy = false;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#options.idle();
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { runtime, timeoutMs, before, append } = this.#options;
    const aborter = new AbortController();
    const leftMs = Math.max(batch[0]!.untilMs - runtime.now(), 0);
    let ring: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      ring = () => {
        const error = timedOut(timeoutMs);
        reject(error);
        aborter.abort(error);
      };
    });
    const alarm = runtime.alarm(leftMs, () => ring?.());
    try {
      const texts = batch.length === 1 ? batch[0]!.texts : batch.flatMap((one) => one.texts);
      const sent = before(aborter.signal).then(() => {
        aborter.signal.throwIfAborted();
        return append(texts, aborter.signal);
      });
      const { epoch, offset } = await Promise.race([sent, late]);
      let end = offset - texts.length;
      for (const one of batch) {
        end += one.texts.length;
        one.resolve({ epoch, offset: end });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      alarm.cancel();
      for (const { bytes } of batch) this.#options.done(bytes);
    }
  }

  #next(): Waiting[] {
    const batch: Waiting[] = [];
    const maxBytes = this.#options.maxBatchBytes();
    let bytes = 0;
    let entries = 0;
    for (let one = this.#waiting.at(0); one !== undefined; one = this.#waiting.at(0)) {
      bytes += one.bytes;
      entries += one.texts.length;
      if (batch.length > 0 && (bytes > maxBytes || entries > maxEntries)) break;
      batch.push(this.#waiting.shift()!);
    }
    return batch;
  }

  /** Ends the calls that wait behind a batch for longer than their time. */
  #watch(): void {
    const oldest = this.#waiting.at(0);
    if (this.#alarm !== undefined || oldest === undefined) return;
    const { runtime, timeoutMs, done } = this.#options;
    this.#alarm = runtime.alarm(Math.max(oldest.untilMs - runtime.now(), 0), () => {
      this.#alarm = undefined;
      const nowMs = runtime.now();
      for (let one = this.#waiting.at(0); one !== undefined; one = this.#waiting.at(0)) {
        if (one.untilMs > nowMs) break;
        this.#waiting.shift();
        done(one.bytes);
        one.reject(timedOut(timeoutMs));
      }
      this.#watch();
    });
  }
}

/** Not done in time. */
export function timedOut(timeoutMs: number): SluiceError<"SLUICE_TIMEOUT"> {
  const text = `the store did not answer within ${timeoutMs} ms`;
  return new SluiceError("SLUICE_TIMEOUT", text, { timeoutMs });
}
