// What a client that joins is told of the past: read from the log behind a tail that hears already.
import { firstOffset, type Log } from "../../store/index.ts";
import type { Position, Resumption } from "../contract.ts";
import { entryBytes, isEntry, type HistoryEntry, type Placed } from "./history-entry.ts";

/** Entries of the first read, and of the others at least and at most: a log far away is asked a few times only. */
const pageSize = 100;
const mostPerPage = 1_000;
/** Bytes that a read is to bring: what is held in memory at once is bounded, whatever is asked for. */
const pageBytes = 256 * 1_024;

/** What is wanted of the past, at most. */
export interface Wanted {
  /** Where the client stopped; without it, it gets the newest. */
  readonly since: Position | undefined;
  readonly count: number;
  readonly bytes: number;
}

/** What there is of it. */
export interface CaughtUp {
  /** Where the topic stood: what comes behind it comes live. */
  readonly end: Position;
  /** How that follows on where the client stopped; nothing when it did not say. */
  readonly status: Resumption["status"] | undefined;
  /** The entries begin behind this offset. */
  readonly after: number;
  readonly entries: readonly Placed[];
}

/** The topic began a new life while it was read: whoever joins is to try again. */
class MovedOn extends Error {}

/**
 * Reads what a client wants up to `heard`, which a tail has heard already: what the tail hears from then on follows on it
 * with neither hole nor double. Of more than is wanted it takes the newest, and says that this is a gap.
 */
export async function catchUp(
  log: Log<HistoryEntry>,
  topic: string,
  heard: Position,
  wanted: Wanted,
): Promise<CaughtUp> {
  const { since, count } = wanted;
  const newest: Position = { epoch: heard.epoch, offset: Math.max(heard.offset - count, 0) };
  let status: CaughtUp["status"] = since && statusAt(since, heard, count);
  let at = since !== undefined && status === "resumed" ? since : newest;
  const window = new Window(wanted, at.offset);
  // Ahead of the tail: another node has heard more than this one, or the client makes it up. The log knows.
  let perPage = pageSize;
  for (let isAhead = at.offset > heard.offset; isAhead || at.offset < heard.offset;) {
    isAhead = false;
    const read = await log.read(topic, at, perPage);
    if (read.position.epoch !== heard.epoch) throw new MovedOn();
    if (read.status !== "resumed") {
      if (status !== undefined && status !== "reset") status = read.status;
      window.restart(firstOffset(read) - 1);
    }
    at = read.position;
    const bytes = window.push(read.entries, firstOffset(read));
    if (read.entries.length === 0) break;
    const fitting = Math.floor((pageBytes * read.entries.length) / Math.max(bytes, 1));
    perPage = Math.min(Math.max(fitting, pageSize), mostPerPage);
  }
  if (window.isCut && status === "resumed") status = "gap";
  return { end: at, status, after: window.after, entries: window.entries };
}

function statusAt(since: Position, heard: Position, count: number): Resumption["status"] {
  if (since.epoch !== heard.epoch) return "reset";
  return heard.offset - since.offset > count ? "gap" : "resumed";
}

/** The newest entries that fit. */
class Window {
  /** Behind which offset the entries begin. */
  after: number;
  isCut = false;
  readonly entries: Placed[] = [];
  readonly #count: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor({ count, bytes }: Wanted, after: number) {
    this.#count = count;
    this.#maxBytes = bytes;
    this.after = after;
  }

  restart(after: number): void {
    this.entries.length = this.#bytes = 0;
    this.after = after;
  }

  /** @returns their bytes, also of those that are let go */
  push(entries: readonly HistoryEntry[], first: number): number {
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      if (!isEntry(entry)) continue;
      const placed = { entry, offset: first + index, bytes: entryBytes(entry) };
      this.entries.push(placed);
      bytes += placed.bytes;
    }
    this.#bytes += bytes;
    let drop = 0;
    while (this.entries.length - drop > this.#count || this.#bytes > this.#maxBytes)
      this.#bytes -= this.entries[drop++]!.bytes;
    if (drop === 0) return bytes;
    this.isCut = true;
    this.after = this.entries[drop - 1]!.offset;
    this.entries.splice(0, drop);
    return bytes;
  }
}
