// What a client that joins is told of the past: read from the log behind a tail that hears already.
import type { Runtime } from "../../runtime/internal.ts";
import { firstOffset, type Log } from "../../store/index.ts";
import type { Position, Resumption } from "../contract.ts";
import { entryBytes, isEntry, type HistoryEntry, type Placed } from "./history-entry.ts";

/** Entries of the first read, and of the others at least and at most: a log far away is asked a few times only. */
const pageSize = 100;
const mostPerPage = 1_000;
/** Bytes that a read is to bring: what is held in memory at once is bounded, whatever is asked for. */
const pageBytes = 256 * 1_024;
/** How long a read may take: a slow log is asked for less at a time, so that what it has said is handed on. */
const pageMs = 500;

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

/** What was read does not go together with what was read before: whoever joins is to try again. */
class MovedOn extends Error {}

/**
 * Reads what a client wants up to `heard`, which a tail has heard already: what the tail hears from then on follows on it
 * with neither hole nor double. Of more than is wanted it takes the newest, and says that this is a gap. What has been
 * read can be taken before all is; from then on, what would change what was said of it ends the reading.
 */
export class CatchUp {
  /** All has been read. */
  isDone: boolean;
  /** Some of it has. */
  isBegun = false;
  readonly #log: Log<HistoryEntry>;
  readonly #clock: Pick<Runtime, "now">;
  readonly #topic: string;
  readonly #heard: Position;
  readonly #window: Window;
  #status: CaughtUp["status"];
  #at: Position;
  #perPage = pageSize;
  #isTaken = false;

  constructor(
    log: Log<HistoryEntry>,
    topic: string,
    heard: Position,
    wanted: Wanted,
    clock: Pick<Runtime, "now">,
  ) {
    const { since, count } = wanted;
    const newest: Position = { epoch: heard.epoch, offset: Math.max(heard.offset - count, 0) };
    this.#log = log;
    this.#clock = clock;
    this.#topic = topic;
    this.#heard = heard;
    this.#status = since && statusAt(since, heard, count);
    this.#at = since !== undefined && this.#status === "resumed" ? since : newest;
    this.#window = new Window(wanted, this.#at.offset);
    // Ahead of the tail: another node has heard more than this one, or the client makes it up. The log knows.
    this.isDone = this.#at.offset === heard.offset;
  }

  /** Reads on, a page. */
  async read(): Promise<void> {
    const window = this.#window;
    const beganMs = this.#clock.now();
    const read = await this.#log.read(this.#topic, this.#at, this.#perPage);
    if (read.position.epoch !== this.#heard.epoch) throw new MovedOn("its topic began a new life");
    if (read.status !== "resumed") {
      if (this.#isTaken) throw new MovedOn("what is to be read next is kept no more");
      if (this.#status !== undefined && this.#status !== "reset") this.#status = read.status;
      window.restart(firstOffset(read) - 1);
    }
    this.#at = read.position;
    const bytes = window.push(read.entries, firstOffset(read));
    if (window.isCut && this.#isTaken) throw new MovedOn("it is more than one client is handed");
    if (window.isCut && this.#status === "resumed") this.#status = "gap";
    const ms = this.#clock.now() - beganMs;
    const times = Math.min(pageBytes / Math.max(bytes, 1), pageMs / Math.max(ms, 1));
    const fitting = Math.floor(read.entries.length * times);
    this.#perPage = Math.min(Math.max(fitting, pageSize), mostPerPage);
    this.isBegun = true;
    this.isDone = read.entries.length === 0 || this.#at.offset >= this.#heard.offset;
  }

  /** What was read and not taken before. */
  take(): CaughtUp {
    this.#isTaken = true;
    const entries = this.#window.take();
    return { end: this.#at, status: this.#status, after: this.#window.after, entries };
  }
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
  #entries: Placed[] = [];
  readonly #count: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor({ count, bytes }: Wanted, after: number) {
    this.#count = count;
    this.#maxBytes = bytes;
    this.after = after;
  }

  /** They count on, and are held no longer. */
  take(): readonly Placed[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  restart(after: number): void {
    this.#entries.length = this.#bytes = 0;
    this.after = after;
  }

  /** @returns their bytes, also of those that are let go */
  push(entries: readonly HistoryEntry[], first: number): number {
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      if (!isEntry(entry)) continue;
      const placed = { entry, offset: first + index, bytes: entryBytes(entry) };
      this.#entries.push(placed);
      bytes += placed.bytes;
    }
    this.#bytes += bytes;
    let drop = 0;
    while (this.#entries.length - drop > this.#count || this.#bytes > this.#maxBytes)
      this.#bytes -= this.#entries[drop++]!.bytes;
    if (drop === 0) return bytes;
    this.isCut = true;
    this.after = this.#entries[drop - 1]!.offset;
    this.#entries.splice(0, drop);
    return bytes;
  }
}
