import type { Runtime } from "../../runtime/internal.ts";
import type { Log, Position, Read, Slice, Start } from "../../store/index.ts";
import { entriesRefused, log } from "../../telemetry/internal.ts";
import { saidBy, type HistoryEntry } from "./history-entry.ts";

/** It is told once in this time. */
const quietMs = 10_000;

/**
 * A log that others may write to: what is no broadcast that clients can be told keeps its place and is `undefined`, for
 * offsets have no holes. It is counted, and told now and then.
 */
export class CheckedLog implements Log<HistoryEntry> {
  /** Entries that were read and not believed, each as often as it was read. */
  refused = 0;
  protected readonly log: Log<HistoryEntry>;
  protected readonly endpoint: string;
  readonly #runtime: Runtime;
  #toldMs = -Infinity;
  #untold = 0;

  constructor(given: Log<HistoryEntry>, endpoint: string, runtime: Runtime) {
    this.log = given;
    this.endpoint = endpoint;
    this.#runtime = runtime;
  }

  append(topic: string, entries: readonly HistoryEntry[]): Promise<Position> {
    return this.log.append(topic, entries);
  }

  async read(topic: string, after: Position, limit: number): Promise<Read<HistoryEntry>> {
    return this.#checked(topic, await this.log.read(topic, after, limit));
  }

  async last(topic: string, count: number): Promise<Slice<HistoryEntry>> {
    return this.#checked(topic, await this.log.last(topic, count));
  }

  tail(topic: string, start: Start, listener: (read: Read<HistoryEntry>) => void): Disposable {
    return this.log.tail(topic, start, (read) => listener(this.#checked(topic, read)));
  }

  drop(topic: string): Promise<void> {
    return this.log.drop(topic);
  }

  /** The entry as clients may be told it; nothing when it is not believed. */
  protected said(_topic: string, entry: unknown): HistoryEntry | undefined {
    return saidBy(entry);
  }

  #checked<S extends Slice<HistoryEntry>>(topic: string, slice: S): S {
    const entries = slice.entries.map((entry) => this.said(topic, entry) ?? this.#refuse(topic));
    return { ...slice, entries };
  }

  #refuse(topic: string): undefined {
    this.refused++;
    this.#untold++;
    const nowMs = this.#runtime.now();
    if (nowMs - this.#toldMs < quietMs) return;
    this.#toldMs = nowMs;
    const [endpoint, count] = [this.endpoint, this.#untold];
    this.#untold = 0;
    if (entriesRefused.active) entriesRefused.emit({ endpoint, topic, count });
    log(
      "warning",
      `the log of ${topic} of ${endpoint} has entries that no node of ours has written: clients are not told of them`,
    );
  }
}
