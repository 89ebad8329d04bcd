import { TokenBucket, type TimerEntry } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { refused } from "../../telemetry/internal.ts";
import { asBytes, readFrames, type CloseCode, type Frames } from "../wire/frame.ts";
import type { Limits } from "../limits.ts";
import type { Posted } from "./long-poll-body.ts";
import type { Peer, Transport } from "./transport.ts";

/** What a client of long-polling understands. */
export type PollStatus = 200 | 204 | 410;
/** 408: not read in time. 429: too many at once. Whatever is not 200 makes a client connect anew. */
export type PostStatus = 200 | 408 | 410 | 429;

/** A request that waits for messages. */
export interface Poll {
  /** Ends it. Of one whose connection broke before all was written, `lost` is told. */
  answer(status: PollStatus, token: string | null, messages: readonly string[]): void;
}

/** A request that brings messages. */
export interface Post {
  /** Once its body is there. Taken one by one; at the end it says whether there were more than are taken. */
  messages: Iterator<Posted, boolean> | undefined;
  answer(status: PostStatus): void;
}

/** Who keeps a session. */
export interface SessionKeeper {
  readonly system: System;
  readonly limits: Limits;
  readonly windowMs: number;
  /** A token to ask with next, by whoever has received the answer of this number. */
  token(answer: number): string;
  /** It has ended: nobody can ask for it any more. */
  ended(): void;
}

interface WaitingPoll {
  readonly poll: Poll;
  /** The answer that its client had received. */
  readonly after: number;
  sweeps: number;
}
interface WaitingPost {
  readonly post: Post;
  sweeps: number;
}

/** What may be handed over before its sender is to wait, at most. */
const lineBytes = 64 * 1_024;
/** A session that was closed keeps what was said before for so long, for its client to fetch. */
const lingerMs = 5_000;
/** Without a poll, a session lasts for so many windows. */
const idleWindows = 1.5;
/** More POSTs of one session at a time are refused: the stock client sends one. */
const mostPosts = 2;

/**
 * The line of a client that polls. Messages wait for the next poll; those of an answer are kept until the client asks with
 * the token that came with it, and are sent again if it asks with an older one, or if the answer's connection broke.
 */
export class LongPollSession implements Transport {
  readonly #keeper: SessionKeeper;
  readonly #peer: Peer;
  readonly #lineBytes: number;
  readonly #pace: TokenBucket;
  #state: "open" | "closing" | "over" = "open";
  /** Runs of frames that no answer holds. */
  #queued: Buffer[] = [];
  /** Those of the last answer that holds any, until it is known to have arrived. */
  #sent: Buffer[] = [];
  #sentTo: Poll | undefined = undefined;
  pendingBytes = 0;
  #isFull = false;
  /** How many answers have held messages. */
  #answers = 0;
  /** Has the client ever used the token of a later answer? If not, its tokens say nothing. */
  #rolls = false;
  /** Oldest first. */
  #polls: WaitingPoll[] = [];
  #posts: WaitingPost[] = [];
  #isPaused = false;
  #isReading = false;
  #idleSweeps = 0;
  #closingSweeps = 0;
  #timer: TimerEntry<() => void> | undefined = undefined;

  constructor(keeper: SessionKeeper, peer: Peer) {
    const { limits, system } = keeper;
    this.#keeper = keeper;
    this.#peer = peer;
    this.#lineBytes = Math.min(lineBytes, Math.ceil(limits.maxPendingBytes / 4));
    const { pollsPerSecond } = limits;
    this.#pace = new TokenBucket(pollsPerSecond, pollsPerSecond, system.runtime.now());
  }

  // What its sending half asks.

  send(frames: Frames): boolean {
    if (this.#state !== "open") return true;
    this.#queued.push(asBytes(frames));
    this.pendingBytes += frames.length;
    this.#answerNewest();
    this.#isFull = this.pendingBytes >= this.#lineBytes;
    return !this.#isFull;
  }

  /** What is on its way is still handed out, but not to one that is slow. */
  close(code: CloseCode): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    for (const { post } of this.#posts.splice(0)) post.answer(410);
    if (code === 4008 || this.pendingBytes === 0) this.#end();
    else this.#answerNewest();
  }

  destroy(): void {
    this.#end();
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** In a turn of its own: of a line that is closed next, nothing more is read. */
  resume(): void {
    this.#isPaused = false;
    if (this.#posts.length > 0) this.#keeper.system.runtime.turn(() => this.#readPosts());
  }

  sweep(sweepMs: number): boolean {
    if (this.#state === "over") return true;
    if (this.#state === "closing" && ++this.#closingSweeps * sweepMs > lingerMs) this.#end();
    const { windowMs } = this.#keeper;
    const isDue = (waiting: { sweeps: number }): boolean => ++waiting.sweeps * sweepMs >= windowMs;
    const late = this.#posts.filter(isDue);
    if (late.length > 0) {
      // Those behind it must not be read without it.
      for (const { post } of this.#posts.splice(0)) post.answer(408);
      this.#peer.broken(1008, "messages that could not be read in time");
      this.#end();
      return true;
    }
    if (this.#polls.length > 0) this.#idleSweeps = 0;
    else this.#idleSweeps++;
    for (const poll of this.#polls.filter(isDue)) this.#dismiss(poll);
    return this.#idleSweeps * sweepMs <= idleWindows * windowMs;
  }

  // What its client asks.

  /** A poll by a client that has received the answer of this number, as its token says. */
  poll(poll: Poll, after: number): void {
    if (this.#state === "over") return poll.answer(410, null, []);
    this.#idleSweeps = 0;
    if (after > 0) this.#rolls = true;
    if (this.#sent.length > 0) {
      // Of a client that keeps its first token: whoever asks again has the last answer, unless that broke.
      if (after === this.#answers || !this.#rolls) this.#arrived();
      else this.#sendAgain();
    }
    if (this.#polls.length >= this.#keeper.limits.maxPollsPerSession)
      this.#dismiss(this.#polls[0]!);
    this.#polls.push({ poll, after, sweeps: 0 });
    this.#answerNewest();
  }

  /** The connection of a poll broke before its answer was written. */
  lost(poll: Poll): void {
    this.#polls = this.#polls.filter((waiting) => waiting.poll !== poll);
    if (this.#sentTo !== poll || this.#state === "over") return;
    this.#sendAgain();
    this.#answerNewest();
  }

  /** A request begins, whose messages follow: they are read behind those of earlier ones. False when it was turned away. */
  post(post: Post): boolean {
    if (this.#state !== "open") post.answer(410);
    else if (this.#posts.length >= mostPosts) post.answer(429);
    else return this.#posts.push({ post, sweeps: 0 }) > 0;
    return false;
  }

  /** It has its messages. */
  posted(): void {
    this.#readPosts();
  }

  /** It will have none: its connection broke, or it was too long. */
  withdraw(post: Post): void {
    this.#posts = this.#posts.filter((waiting) => waiting.post !== post);
    this.#readPosts();
  }

  #readPosts(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#state === "open" && !this.#isPaused) {
      const post = this.#posts[0]?.post;
      if (post?.messages === undefined) break;
      const next = post.messages.next();
      if (next.done !== true) this.#hear(next.value);
      else {
        if (next.value && refused.active)
          refused.emit({ what: "message", reason: "more messages than a batch may have" });
        this.#posts.shift();
        post.answer(200);
      }
    }
    this.#isReading = false;
  }

  /** May close the session. */
  #hear(message: Posted): void {
    switch (message.kind) {
      case "text":
        return this.#peer.text(message.text, message.bytes);
      case "binary":
        return this.#peer.binary(message.data);
      case "broken": {
        this.#peer.broken(message.code, message.reason);
        return this.#end();
      }
      default:
        return message satisfies never;
    }
  }

  /** The client has the messages of the last answer. */
  #arrived(): void {
    for (const { length } of this.#sent) this.pendingBytes -= length;
    this.#sent = [];
    this.#sentTo = undefined;
    if (!this.#isFull || this.pendingBytes >= this.#lineBytes) return;
    this.#isFull = false;
    if (this.#state === "open") this.#peer.writable();
  }

  /** The client has them not. */
  #sendAgain(): void {
    this.#queued = [...this.#sent, ...this.#queued];
    this.#sent = [];
    this.#sentTo = undefined;
  }

  /** Hands all that waits to the newest poll, at the pace that is allowed; of a session that was closed, its end behind that. */
  #answerNewest(): void {
    // Order: nothing is handed out before what was handed out has arrived.
    if (this.#polls.length === 0 || this.#sent.length > 0 || this.#timer !== undefined) return;
    if (this.#queued.length === 0) {
      if (this.#state === "closing") this.#end();
      return;
    }
    const nowMs = this.#keeper.system.runtime.now();
    if (!this.#pace.take(nowMs)) {
      const waitMs = Math.max(this.#pace.waitMs(nowMs), 1);
      this.#timer = this.#keeper.system.after(waitMs, () => {
        this.#timer = undefined;
        this.#answerNewest();
      });
      return;
    }
    const { poll } = this.#polls.pop()!;
    this.#sent = this.#queued;
    this.#sentTo = poll;
    this.#queued = [];
    poll.answer(200, this.#keeper.token(++this.#answers), this.#sent.flatMap(textsOf));
  }

  #dismiss(waiting: WaitingPoll): void {
    this.#polls = this.#polls.filter((other) => other !== waiting);
    waiting.poll.answer(204, this.#keeper.token(waiting.after), []);
  }

  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    const { system } = this.#keeper;
    if (this.#timer !== undefined) system.cancel(this.#timer);
    this.#queued = this.#sent = [];
    this.pendingBytes = 0;
    this.#keeper.ended();
    for (const { post } of this.#posts.splice(0)) post.answer(410);
    for (const { poll } of this.#polls.splice(0)) poll.answer(410, null, []);
    system.runtime.turn(() => this.#peer.gone());
  }
}

/** Control frames hold no message, and bytes have no form here. */
function textsOf(frames: Buffer): string[] {
  const texts: string[] = [];
  for (const { kind, payload } of readFrames(frames))
    if (kind === "text") texts.push(payload.toString());
  return texts;
}
