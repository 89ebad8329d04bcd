import { checkInteger } from "../support/internal.ts";
import type { Runtime } from "../runtime/internal.ts";
import { firstOffset, type Slice } from "../store/index.ts";
import { MemoryTopic } from "../store/internal.ts";
import type { Position, Resumption } from "./contract.ts";
import type { History } from "./definition.ts";

/** A broadcast of the past. */
export interface Past {
  readonly event: string;
  /** The payload as it was said: whatever the sender does to it later, this is the past. */
  readonly json: string;
  /** UTF-8 bytes of the payload. */
  readonly bytes: number;
}

/** A broadcast of the past, with its place. */
export interface Placed extends Past {
  readonly offset: number;
}

/** What a client that joins is told of the past: in its reply, and after it. */
export interface Handover {
  readonly place: Position | Resumption;
  /** In the reply. */
  readonly recent: readonly Placed[] | undefined;
  /** Sent again, right behind the reply. */
  readonly replay: readonly Placed[];
}

/** `History` with its defaults. */
export type HistoryBounds = Required<History>;

const defaults: HistoryBounds = {
  count: 1_000,
  bytes: 2 ** 20,
  ageMs: Infinity,
  maxReplay: 1_000,
  onJoin: 0,
};
/** Topics kept that nobody has joined. */
const idleTopics = 1_000;

/** @throws SLUICE_INVALID_OPTION */
export function historyBounds(history: History): HistoryBounds {
  const bounds = { ...defaults, ...history };
  for (const [name, value] of Object.entries(bounds))
    if (value !== Infinity) checkInteger(`history.${name}`, value, name === "onJoin" ? 0 : 1);
  return bounds;
}

/** The past of the topics of one endpoint, in memory: it ends with the program, and each node has its own. */
export class Histories {
  readonly #runtime: Runtime;
  readonly #isJoined: (topic: string) => boolean;
  /** The longest untouched first. */
  readonly #topics: Map<string, MemoryTopic<Past>> = new Map();
  /** Of topics that are written for the first time since one was forgotten. */
  #epoch: string | undefined = undefined;

  constructor(runtime: Runtime, isJoined: (topic: string) => boolean) {
    this.#runtime = runtime;
    this.#isJoined = isJoined;
  }

  append(name: string, bounds: HistoryBounds, past: Past): Position {
    const topic = this.#read(name, bounds);
    const position = topic.append([past], [past.bytes], this.#runtime.now());
    this.#topics.delete(name);
    this.#topics.set(name, topic);
    this.#forgetOldest();
    return position;
  }

  /** What a client that joins now is to be told: the newest payloads, of at most `maxBytes` together. */
  handover(
    name: string,
    bounds: HistoryBounds,
    since: Position | undefined,
    maxBytes: number,
  ): Handover {
    const topic = this.#read(name, bounds);
    if (since === undefined) {
      const recent = newest(placed(topic.last(bounds.onJoin)), maxBytes);
      return { place: topic.end, recent, replay: [] };
    }
    const read = topic.read(since, bounds.maxReplay + 1);
    const isAll = read.entries.length <= bounds.maxReplay;
    const kept = placed(isAll ? read : topic.last(bounds.maxReplay));
    const replay = newest(kept, maxBytes);
    const isCut = !isAll || replay.length < kept.length;
    const status = isCut && read.status === "resumed" ? "gap" : read.status;
    return { place: { ...topic.end, status }, recent: undefined, replay };
  }

  /** One that was never written is made for whoever asks, and kept by a write alone: clients name as many as they like. */
  #read(name: string, bounds: HistoryBounds): MemoryTopic<Past> {
    this.#epoch ??= newEpoch(this.#runtime);
    const topic = this.#topics.get(name) ?? new MemoryTopic<Past>(name, this.#epoch, bounds);
    topic.expire(this.#runtime.now());
    return topic;
  }

  /** One that somebody has joined is kept, and counts as touched. */
  #forgetOldest(): void {
    let looked = 0;
    for (const [name, topic] of this.#topics) {
      if (this.#topics.size <= idleTopics || looked++ === idleTopics) return;
      this.#topics.delete(name);
      if (this.#isJoined(name)) this.#topics.set(name, topic);
      // Its next life is another, whose offsets begin again.
      else this.#epoch = undefined;
    }
  }
}

function placed(slice: Slice<Past>): readonly Placed[] {
  const first = firstOffset(slice);
  return slice.entries.map((past, index) => ({ ...past, offset: first + index }));
}

/** As many of the newest as fit. */
export function newest<T extends { readonly bytes: number }>(
  all: readonly T[],
  maxBytes: number,
): readonly T[] {
  let bytes = 0;
  let first = all.length;
  while (first > 0 && (bytes += all[first - 1]!.bytes) <= maxBytes) first--;
  return all.slice(first);
}

function newEpoch(runtime: Runtime): string {
  const part = (): string => Math.floor(runtime.random() * 32 ** 5).toString(32);
  return Array.from({ length: 3 }, () => part().padStart(5, "0")).join("");
}

/** The place that a client resumes from, taken out of the params of its join; the callback sees the rest. */
export function takeSince(params: unknown): {
  readonly params: unknown;
  readonly since: Position | undefined;
} {
  if (typeof params !== "object" || params === null || !Object.hasOwn(params, "since"))
    return { params, since: undefined };
  const { since, ...rest } = params as { readonly since: unknown };
  return { params: rest, since: isPosition(since) ? since : undefined };
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, offset } = value as Partial<Position>;
  return typeof epoch === "string" && Number.isSafeInteger(offset) && offset! >= 0;
}
