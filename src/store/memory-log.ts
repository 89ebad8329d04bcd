import { checkInteger, invalidOption } from "../support/internal.ts";
import { checkKnown } from "../process/internal.ts";
import { currentSystem, type Runtime } from "../runtime/internal.ts";
import type { Log, LogBounds, Position, Read, Slice, Start } from "./log.ts";
import {
  checkBounds,
  checkEntries,
  checkListener,
  checkPosition,
  checkStart,
  checkTopic,
} from "./log-input.ts";
import { MemoryTopic } from "./memory-topic.ts";
import { newEpoch } from "./new-epoch.ts";
import { RecencyList } from "./recency-list.ts";
import { Tail } from "./tail.ts";

/** How much a {@link MemoryLog} keeps, and of how many topics. */
export interface MemoryLogOptions<E> extends LogBounds {
  /** Entries per topic; default 1,000. */
  readonly count?: number;
  /** Bytes per topic, as `bytesOf` measures; default 1 MiB. */
  readonly bytes?: number;
  /** How old an entry grows, in ms; default: it does not age. */
  readonly ageMs?: number;
  /** Topics kept that nobody tails; default 1,000. Beyond, the longest untouched is forgotten. */
  readonly maxTopics?: number;
  /** Bytes of an entry, a whole number from 0; default the length of a text, else that of its JSON text. */
  readonly bytesOf?: (entry: E) => number;
}

const known: ReadonlySet<string> = new Set(["count", "bytes", "ageMs", "maxTopics", "bytesOf"]);

/**
 * The log that lives and dies with its process: an append resolves when the entries are in memory, and another process,
 * or the next one, says `reset`. It takes time and chance from the system in which it is made.
 *
 * An append is O(1). Memory is bounded by `bytes` × (`maxTopics` + topics with tails), beside some 100 bytes per entry. A
 * topic that nobody tails is forgotten when all of it is older than `ageMs`; there is no timer: that is looked at when
 * something is appended.
 *
 * ```ts
 * import { MemoryLog } from "sluice/store";
 *
 * const log = new MemoryLog<string>({ count: 100 });
 * const { epoch } = await log.append("lines", ["a", "b"]);
 * using _tail = log.tail("lines", { last: 1 }, ({ entries, position }) => {
 *   console.info(entries, position.offset); // ["b"] 2, then ["c"] 3
 * });
 * await log.append("lines", ["c"]);
 * const missed = await log.read("lines", { epoch, offset: 1 }, 10);
 * console.info(missed.status, missed.entries); // resumed ["b", "c"]
 * ```
 */
export class MemoryLog<E> implements Log<E> {
  readonly #runtime: Runtime;
  readonly #bounds: Required<LogBounds>;
  readonly #maxTopics: number;
  readonly #bytesOf: (entry: E) => number;
  /** Topics that were written, or are tailed. */
  readonly #topics: Map<string, MemoryTopic<E>> = new Map();
  /** Those of them that nobody tails. */
  readonly #idle: RecencyList<MemoryTopic<E>> = new RecencyList();
  /** Of lives that begin now: another one after each that ended, so that nothing is kept of topics never written. */
  #epoch: string;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(options: MemoryLogOptions<E> = {}) {
    checkKnown("MemoryLog", options, known);
    const { count = 1_000, bytes = 2 ** 20, ageMs = Infinity, maxTopics = 1_000 } = options;
    checkBounds(options);
    checkInteger("maxTopics", maxTopics, 0);
    this.#runtime = currentSystem().runtime;
    this.#bounds = { count, bytes, ageMs };
    this.#maxTopics = maxTopics;
    this.#bytesOf = options.bytesOf ?? jsonLength;
    this.#epoch = newEpoch(this.#runtime);
  }

  /** Appends entries, together and in this order; resolves with the position of the last. */
  async append(name: string, entries: readonly E[]): Promise<Position> {
    checkTopic(name);
    checkEntries(entries);
    // All are measured first: a refused one leaves nothing behind.
    const sizes = entries.map((entry) => this.#measure(entry));
    const topic = this.#topic(name);
    if (entries.length === 0) return topic.end;
    const idle = topic.tails.size === 0;
    if (idle) this.#hold(topic);
    const position = topic.append(entries, sizes, this.#runtime.now());
    if (idle) this.#release(topic);
    return position;
  }

  /** At most `limit` entries behind a place, the oldest first. */
  async read(name: string, after: Position, limit: number): Promise<Read<E>> {
    checkTopic(name);
    checkPosition(after);
    checkInteger("limit", limit, 1);
    return this.#topic(name).read(after, limit);
  }

  /** The newest entries, at most `count` of them. */
  async last(name: string, count: number): Promise<Slice<E>> {
    checkTopic(name);
    checkInteger("count", count, 0);
    return this.#topic(name).last(count);
  }

  /** Hears a topic until disposed: what there is from `start` on, then what is appended. */
  tail(name: string, start: Start, listener: (read: Read<E>) => void): Disposable {
    checkTopic(name);
    checkStart(start);
    checkListener(listener);
    const topic = this.#topic(name);
    const tail = new Tail(this.#runtime, listener, () => {
      topic.tails.delete(tail);
      if (topic.tails.size === 0) this.#release(topic);
    });
    if (topic.tails.size === 0) this.#hold(topic);
    topic.tails.add(tail);
    tail.push(
      "after" in start
        ? topic.read(start.after, Infinity)
        : { status: "resumed", ...topic.last(start.last) },
    );
    return tail;
  }

  /** Forgets a topic; its tails hear of a reset. */
  async drop(name: string): Promise<void> {
    checkTopic(name);
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    if (topic.tails.size === 0) return this.#forget(topic);
    this.#epoch = newEpoch(this.#runtime);
    topic.restart(this.#epoch);
  }

  /** The topic as it is now; one that was never written is made, but not kept. */
  #topic(name: string): MemoryTopic<E> {
    const topic = this.#topics.get(name);
    if (topic === undefined) return new MemoryTopic(name, this.#epoch, this.#bounds);
    topic.expire(this.#runtime.now());
    return topic;
  }

  #hold(topic: MemoryTopic<E>): void {
    if (this.#topics.get(topic.name) === topic) this.#idle.remove(topic);
    else this.#topics.set(topic.name, topic);
  }

  #release(topic: MemoryTopic<E>): void {
    if (!topic.written) return void this.#topics.delete(topic.name);
    const nowMs = this.#runtime.now();
    topic.touchedMs = nowMs;
    this.#idle.add(topic);
    let { oldest } = this.#idle;
    const tooMany = (): boolean => this.#idle.size > this.#maxTopics;
    while (oldest && (tooMany() || oldest.touchedMs + this.#bounds.ageMs <= nowMs)) {
      this.#forget(oldest);
      oldest = this.#idle.oldest;
    }
  }

  #forget(topic: MemoryTopic<E>): void {
    this.#idle.remove(topic);
    this.#topics.delete(topic.name);
    this.#epoch = newEpoch(this.#runtime);
  }

  #measure(entry: E): number {
    const bytes = this.#bytesOf(entry);
    checkInteger("bytesOf", bytes, 0);
    return bytes;
  }
}

function jsonLength(entry: unknown): number {
  if (typeof entry === "string") return entry.length;
  try {
    const text = JSON.stringify(entry) as string | undefined;
    if (text !== undefined) return text.length;
  } catch {
    // Refused below.
  }
  throw invalidOption("entries", typeof entry, "what JSON can carry");
}
