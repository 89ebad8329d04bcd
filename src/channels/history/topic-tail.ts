import { firstOffset, type Log, type Read } from "../../store/index.ts";
import { log, tailLost } from "../../telemetry/internal.ts";
import { BroadcastMessage } from "../fan-out/broadcast.ts";
import type { Position } from "../contract.ts";
import type { HistoryEntry } from "./history-entry.ts";
import { Hold } from "./hold.ts";
import type { LoggedSends } from "./logged-send.ts";
import type { Membership } from "../socket/membership.ts";

/** What a tail needs of the endpoint it is for. */
export interface TailSide {
  readonly sends: LoggedSends;
  /** To all who have joined the topic. */
  spread(topic: string, message: BroadcastMessage): void;
  /** To one of them. */
  enter(membership: Membership, held: readonly BroadcastMessage[]): void;
}

/**
 * One topic of a log as this node hears it, from the first join to the last leave: it hands on what the log says, in the
 * log's order. When the log has lost its hold, all who have joined are sent to join again, with their place.
 */
export class TopicTail {
  readonly topic: string;
  readonly log: Log<HistoryEntry>;
  /** Up to where it has heard; nothing until the log has answered. */
  position: Position | undefined = undefined;
  readonly #side: TailSide;
  /** All who joined or are on their way in, those with what is held for them. */
  readonly #members: Map<Membership, Hold | undefined> = new Map();
  readonly #waiting: Map<Hold, (position: Position) => void> = new Map();
  #tail: Disposable | undefined = undefined;

  constructor(topic: string, from: Log<HistoryEntry>, side: TailSide) {
    this.topic = topic;
    this.log = from;
    this.#side = side;
    this.#tail = from.tail(topic, { last: 0 }, (read) => this.#hear(read));
  }

  /** Has it nobody to hear for? */
  get isIdle(): boolean {
    return this.#members.size === 0;
  }

  /** From now on what is said is held for it. */
  hold(membership: Membership, maxBytes: number): Hold {
    const hold = new Hold(maxBytes);
    this.#members.set(membership, hold);
    return hold;
  }

  /** Resolves with a place that it has heard up to; never for one who leaves before. */
  heard(hold: Hold): Promise<Position> {
    const { position } = this;
    if (position !== undefined) return Promise.resolve(position);
    return new Promise((resolve) => this.#waiting.set(hold, resolve));
  }

  /** Its join is answered: when what is held for it comes to nothing from now on, it is to join again. */
  answered(membership: Membership): void {
    const hold = this.#members.get(membership);
    if (hold === undefined) return;
    hold.isAnswered = true;
    hold.failed = ({ message }) => {
      this.#tellLost(message, 1);
      membership.rejoin();
    };
    // When there was something to answer already, nobody could be told: what was held is gone.
    if (hold.why !== undefined) hold.failed(hold.why);
  }

  /** It has been handed all up to an offset: as soon as the tail has heard that far, it hears the topic itself. */
  release(membership: Membership, after: number): void {
    const hold = this.#members.get(membership);
    if (hold === undefined || hold.isOver) return;
    hold.after = after;
    this.#letIn(membership, hold);
  }

  /** It hears no more. */
  leave(membership: Membership): void {
    const hold = this.#members.get(membership);
    this.#members.delete(membership);
    if (hold === undefined) return;
    this.#waiting.delete(hold);
    // There is nobody to be sent to join again.
    if (hold.isAnswered) hold.failed = undefined;
    hold.fail("it has left");
  }

  /** All who have joined are to join again; who is on the way in tries again. */
  lose(why: string): void {
    const members = [...this.#members];
    if (members.length > 0) this.#tellLost(why, members.length);
    for (const [membership, hold] of members)
      if (hold === undefined || hold.isAnswered) membership.rejoin();
      else hold.fail(why);
  }

  /** Hears no more. */
  close(): void {
    this.#tail?.[Symbol.dispose]();
    this.#tail = undefined;
    this.#side.sends.passed(this.topic, undefined);
  }

  #tellLost(why: string, clients: number): void {
    if (tailLost.active) tailLost.emit({ topic: this.topic, why, clients });
  }

  #hear(read: Read<HistoryEntry>): void {
    const isFirst = this.position === undefined;
    if (!isFirst && read.status !== "resumed") this.lose(read.status);
    this.position = read.position;
    let offset = firstOffset(read);
    for (const entry of read.entries) this.#say(entry, offset++);
    for (const [membership, hold] of this.#members)
      if (hold !== undefined) this.#letIn(membership, hold);
    this.#side.sends.passed(this.topic, read.position);
    for (const resolve of this.#waiting.values()) resolve(read.position);
    this.#waiting.clear();
  }

  #say(entry: HistoryEntry | undefined, offset: number): void {
    const { topic } = this;
    // Not believed, as its log has told.
    if (entry === undefined) return;
    const { event, payload, id } = entry;
    const said = (options?: BroadcastMessage["options"]): BroadcastMessage =>
      BroadcastMessage.written(topic, event, payload, options, offset);
    const send = id === undefined ? undefined : this.#side.sends.take(id);
    const message = said(send?.options);
    try {
      this.#side.spread(topic, message);
    } catch (error) {
      log("error", `${event} on ${topic} could not be handed on: its clients join again`, error);
      this.lose("failed");
    } finally {
      message.reach?.close();
      send?.heard(message.waits);
    }
    let plain: BroadcastMessage | undefined = send === undefined ? message : undefined;
    for (const hold of this.#members.values()) hold?.push((plain ??= said()));
  }

  #letIn(membership: Membership, hold: Hold): void {
    if (hold.after === undefined || this.position!.offset < hold.after) return;
    this.#members.set(membership, undefined);
    try {
      this.#side.enter(membership, hold.take());
    } catch (error) {
      // A user's own policy threw. The tail goes on for all others.
      log("error", `a client of ${this.topic} could not be told what was held for it`, error);
      membership.rejoin();
    }
  }
}
