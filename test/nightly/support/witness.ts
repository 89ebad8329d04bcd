// A stock client of a node, and its account of what each node has said.
import { Presence, Socket, type Channel } from "phoenix";
import { resumable } from "sluice/client";
import { hangUp } from "../../integration/support/clients.ts";

interface Said {
  readonly from: string;
  readonly n: number;
}

/** What came of one node on one topic: numbers, which it counted up from 1 on. */
export class Account {
  /** Between one message and the next, at most, since {@link Account.calm}. */
  longestPauseMs = 0;
  last = 0;
  readonly #heard: number[] = [];
  #at: number = performance.now();

  said(n: number): void {
    const now = performance.now();
    this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#at);
    this.#at = now;
    this.#heard.push(n);
    this.last = Math.max(this.last, n);
  }

  /** The next pause begins now. */
  calm(): void {
    this.longestPauseMs = 0;
    this.#at = performance.now();
  }

  /** Of the numbers from `first` to `last`, without those that need not have come: how many did not, came again, came late. */
  sum(first: number, last: number, without: ReadonlySet<number>): Sum {
    const heard = this.#heard.filter((n) => !without.has(n));
    const seen = new Set(heard);
    let [missing, reordered] = [0, 0];
    for (let n = first; n <= last; n++) if (!seen.has(n) && !without.has(n)) missing++;
    for (const [at, n] of heard.entries()) if (n < heard[at - 1]!) reordered++;
    return { missing, doubled: heard.length - seen.size, reordered };
  }
}

/** What an account comes to. */
export interface Sum {
  readonly missing: number;
  readonly doubled: number;
  readonly reordered: number;
}

/** What came on one topic, by who said it. */
class Book {
  readonly #accounts: Map<string, Account> = new Map();

  constructor(channel: Channel) {
    channel.on("said", ({ from, n }: Said) => this.of(from).said(n));
  }

  of(node: string): Account {
    const known = this.#accounts.get(node);
    if (known !== undefined) return known;
    const account = new Account();
    this.#accounts.set(node, account);
    return account;
  }
}

/** A stock client that is on all topics of a node. */
export class Witness implements AsyncDisposable {
  /** A topic of the bus, and one with history. */
  readonly room: Book;
  readonly feed: Book;
  /** How often it was told that messages of the topic with history are missing. */
  lost = 0;
  /** Who came and who left, in order. */
  readonly changes: string[] = [];
  /** Joins that were answered, of its three topics. */
  joined = 0;
  /** How often it found that its connection is lost. */
  broken = 0;
  readonly #socket: Socket;
  readonly #presence: Presence;

  constructor(url: string, as: string, heartbeatIntervalMs: number) {
    this.#socket = new Socket(`${url.replace("http", "ws")}/socket`, {
      heartbeatIntervalMs,
      timeout: 5_000,
      reconnectAfterMs: () => 100,
      rejoinAfterMs: () => 100,
    });
    const room = this.#socket.channel("room");
    const feed = this.#socket.channel("feed");
    const crowd = this.#socket.channel("crowd", { as });
    resumable(feed, { lost: () => void this.lost++ });
    this.room = new Book(room);
    this.feed = new Book(feed);
    this.#presence = new Presence(crowd);
    this.#presence.onJoin((key) => void this.changes.push(`+${key}`));
    this.#presence.onLeave((key) => void this.changes.push(`-${key}`));
    room.onError(() => void this.broken++);
    this.#socket.connect();
    for (const channel of [room, feed, crowd])
      channel.join().receive("ok", () => void this.joined++);
  }

  /** Who is there, as it sees it. */
  get crowd(): string {
    return this.#presence
      .list((key: string) => key)
      .toSorted()
      .join();
  }

  /** It goes, and comes at once. */
  async comeAnew(): Promise<void> {
    await hangUp(this.#socket);
    this.#socket.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await hangUp(this.#socket);
  }
}
