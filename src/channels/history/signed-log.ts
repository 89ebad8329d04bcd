import { Signer } from "../../support/internal.ts";
import type { Runtime } from "../../runtime/internal.ts";
import type { Log, Position, Read, Slice, Start } from "../../store/index.ts";
import { entriesRefused, log } from "../../telemetry/internal.ts";
import { isEntry, type HistoryEntry } from "./history-entry.ts";

/** It is told once in this time. */
const quietMs = 10_000;

/**
 * A log whose entries prove that a node with the same secret has said them, of this endpoint and on this topic. What does
 * not prove it keeps its place and is `undefined`, for offsets have no holes. It is counted, and told now and then.
 */
export class SignedLog implements Log<HistoryEntry> {
  /** Entries that were read and not believed, each as often as it was read. */
  refused = 0;
  readonly #log: Log<HistoryEntry>;
  readonly #endpoint: string;
  readonly #signer: Signer;
  readonly #runtime: Runtime;
  #toldMs = -Infinity;
  #untold = 0;

  constructor(
    log: Log<HistoryEntry>,
    endpoint: string,
    secrets: readonly string[],
    runtime: Runtime,
  ) {
    this.#log = log;
    this.#endpoint = endpoint;
    this.#signer = new Signer(secrets, "history");
    this.#runtime = runtime;
  }

  append(topic: string, entries: readonly HistoryEntry[]): Promise<Position> {
    const signed = entries.map((entry) => ({
      ...entry,
      proof: this.#signer.sign(this.#proven(topic, entry)),
    }));
    return this.#log.append(topic, signed);
  }

  async read(topic: string, after: Position, limit: number): Promise<Read<HistoryEntry>> {
    return this.#believed(topic, await this.#log.read(topic, after, limit));
  }

  async last(topic: string, count: number): Promise<Slice<HistoryEntry>> {
    return this.#believed(topic, await this.#log.last(topic, count));
  }

  tail(topic: string, start: Start, listener: (read: Read<HistoryEntry>) => void): Disposable {
    return this.#log.tail(topic, start, (read) => listener(this.#believed(topic, read)));
  }

  drop(topic: string): Promise<void> {
    return this.#log.drop(topic);
  }

  #believed<S extends Slice<HistoryEntry>>(topic: string, slice: S): S {
    const entries = slice.entries.map((entry) =>
      this.#believes(topic, entry) ? entry : this.#refuse(topic),
    );
    return { ...slice, entries };
  }

  #believes(topic: string, entry: unknown): boolean {
    if (!isEntry(entry)) return false;
    const { proof = "" } = entry;
    return typeof proof === "string" && this.#signer.verifies(proof, this.#proven(topic, entry));
  }

  #proven(topic: string, { event, payload, id = "" }: HistoryEntry): string {
    return `${JSON.stringify([this.#endpoint, topic, event, id])}\n${payload}`;
  }

  #refuse(topic: string): undefined {
    this.refused++;
    this.#untold++;
    const nowMs = this.#runtime.now();
    if (nowMs - this.#toldMs < quietMs) return;
    this.#toldMs = nowMs;
    const [endpoint, count] = [this.#endpoint, this.#untold];
    this.#untold = 0;
    if (entriesRefused.active) entriesRefused.emit({ endpoint, topic, count });
    log(
      "warning",
      `the log of ${topic} of ${endpoint} has entries that no node of ours has signed`,
    );
  }
}
