import type { Listener } from "../../pubsub/internal.ts";
import { dropped, log } from "../../telemetry/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "./broadcast.ts";
import { InterceptMessage } from "../socket/channel-message.ts";
import type { EndpointRecord } from "../directory.ts";
import type { SendingHalf } from "../socket/sending-half.ts";
import type { Membership } from "../socket/membership.ts";
import { BroadcastRun } from "./broadcast-run.ts";
import type { Flusher, LeavingRun, OpenRun } from "./flusher.ts";

/** As many bytes as are written to one socket in one turn: what is more is handed out at once. */
const mostBytes = 64 * 1_024;

/**
 * All on this endpoint who joined one topic by one definition: it hears the topic on the bus. Broadcasts that come one behind
 * the other are handed to its members together, as one frame that all share, at the end of the turn or as soon as anything
 * else is sent: so a message more costs next to nothing, and what one client is told keeps its order.
 */
export class TopicSubscribers implements Listener, OpenRun {
  readonly topic: string;
  readonly definition: AnyDefinition;
  readonly #members: Map<SendingHalf, Membership> = new Map();
  readonly #record: EndpointRecord;
  readonly #flusher: Flusher;
  /** What its members have not been handed yet, but those that something else was said to. */
  #run: BroadcastRun;
  /** The first that some may not have been handed: `#run`, but while one is handed out. */
  #oldest: BroadcastRun;

  constructor(topic: string, definition: AnyDefinition, record: EndpointRecord, flusher: Flusher) {
    this.topic = topic;
    this.definition = definition;
    this.#record = record;
    this.#flusher = flusher;
    this.#run = this.#oldest = new BroadcastRun(definition, 0);
  }

  get end(): number {
    return this.#run.end;
  }

  /** How many there are. */
  get size(): number {
    return this.#members.size;
  }

  /** From now on it hears what comes. */
  add(member: Membership): void {
    member.handed = this.#run.end;
    member.topic = this.topic;
    this.#members.set(member.socket.client, member);
  }

  /** It hears what has come, and no more; false if it was not there. */
  remove(member: Membership): boolean {
    const { client } = member.socket;
    if (this.#members.get(client) !== member) return false;
    try {
      this.catchUp(client);
    } finally {
      this.#members.delete(client);
    }
    return true;
  }

  /** To every member but `from`; what is intercepted goes to its channel first. @throws SLUICE_PAYLOAD_REFUSED */
  hear(heard: unknown, from: unknown): void {
    const message = heard as BroadcastMessage;
    if (this.definition.intercepts(message.event)) {
      for (const member of this.#members.values()) if (member !== from) intercept(member, message);
      return;
    }
    if (this.#members.size === 0) return;
    // What cannot be sent is refused to its sender, now.
    const bytes = message.encoded(this.#record.limits).length;
    const { slow = this.definition.slow } = message;
    if (typeof slow === "object") message.keyOf(slow);
    let sender = this.#member(from as Membership | undefined);
    message.reach?.open(this.#members.size - (sender === undefined ? 0 : 1));
    this.#flusher.open(this);
    // Whoever is told of what goes before may speak meanwhile: here, which the sender hears too, or on another topic.
    for (; sender !== undefined && sender.handed < this.#run.end; sender = this.#member(sender))
      this.catchUp(sender.socket.client);
    this.#run.push(message, bytes);
    if (sender !== undefined) sender.handed = this.#run.end;
    this.#flusher.open(this);
    // A sender that waits knows at once for whom.
    if (message.slow === "wait" || this.#run.bytes >= mostBytes) this.#flusher.open(undefined);
  }

  handOut(earlier: readonly LeavingRun[]): void {
    const { end } = this;
    this.#run = this.#run.next = new BroadcastRun(this.definition, end);
    const failed: SendingHalf[] = [];
    let why: unknown;
    for (const [client, member] of this.#members) {
      try {
        for (const before of earlier) before.run.catchUp(client, before.end);
        this.#hand(client, member, end);
      } catch (error) {
        member.handed = Math.max(member.handed, end);
        failed.push(client);
        why = error;
      }
    }
    this.#oldest = this.#run;
    if (failed.length === 0) return;
    log("error", `${failed.length} clients could not be told what ${this.topic} said: closed`, why);
    for (const client of failed) client.close(1011, "not written");
  }

  catchUp(client: SendingHalf, end: number = this.end): void {
    const member = this.#members.get(client);
    if (member !== undefined) this.#hand(client, member, end);
  }

  /** Sends one all before `end` that it has not had. */
  #hand(client: SendingHalf, member: Membership, end: number): void {
    for (let run = this.#oldest; member.handed < end; run = run.next!)
      if (member.handed < run.end) run.send(client, member);
  }

  /** Whoever speaks, if it is one of them; nobody but channels speaks here. */
  #member(from: Membership | undefined): Membership | undefined {
    return from !== undefined && this.#members.get(from.socket.client) === from ? from : undefined;
  }
}

/** Tells one who has joined what was held for it. */
export function tellOne(member: Membership, message: BroadcastMessage): void {
  const { definition, socket } = member;
  if (definition.intercepts(message.event)) return intercept(member, message);
  const { client, world } = socket;
  client.send(message.frame(client.serializer, definition.slow, world.limits));
}

/**
 * A channel that is too busy misses the broadcast, as any process misses what its mailbox has no room for. Of a log
 * nothing is missed unsaid: such a channel ends, and its client joins again with its place.
 */
function intercept(member: Membership, message: BroadcastMessage): void {
  const cell = member.cell!;
  if (member.unseen >= cell.plan.maxMailbox) {
    cell.table.dropped++;
    if (dropped.active) dropped.emit({ pid: cell.pid, count: 1 });
    return member.definition.history === undefined ? undefined : member.rejoin();
  }
  member.unseen++;
  message.reach?.open();
  cell.send(new InterceptMessage(message));
}
