import type { Listener } from "../pubsub/internal.ts";
import { dropped, refused } from "../telemetry/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";
import type { BroadcastMessage } from "./broadcast.ts";
import { InterceptMessage } from "./channel-message.ts";
import type { EndpointRecord } from "./directory.ts";
import type { Membership } from "./membership.ts";
import type { Outgoing } from "./outbox.ts";
import type { Serializer } from "./serializer.ts";

/** All on this endpoint who joined one topic by one definition: it hears the topic on the bus, and hands one frame to all. */
export class TopicSubscribers implements Listener {
  readonly topic: string;
  readonly definition: AnyDefinition;
  readonly members: Set<Membership> = new Set();
  readonly #record: EndpointRecord;

  constructor(topic: string, definition: AnyDefinition, record: EndpointRecord) {
    this.topic = topic;
    this.definition = definition;
    this.#record = record;
  }

  /** To every member but `from`; what is intercepted goes to its channel first. @throws SLUICE_PAYLOAD_REFUSED */
  hear(heard: unknown, from: unknown): void {
    const message = heard as BroadcastMessage;
    if (this.definition.intercepts(message.event)) {
      for (const member of this.members) if (member !== from) intercept(member, message);
      return;
    }
    const { slow = this.definition.slow, reach, isBytes } = message;
    const { limits } = this.#record;
    const frames: { [form in Serializer["form"]]?: Outgoing } = {};
    let serializer: Serializer | undefined;
    let frame: Outgoing | undefined;
    for (const member of this.members) {
      if (member === from) continue;
      const { client } = member.socket;
      // One frame for all clients of a form; most topics have one form, and look this up once.
      if (client.serializer !== serializer) {
        ({ serializer } = client);
        frame =
          isBytes && !serializer.takesBytes
            ? undefined
            : (frames[serializer.form] ??= message.frame(serializer, slow, limits));
      }
      reach?.open();
      if (frame === undefined) bytesMissed(message, this.definition);
      else if (slow === "wait") {
        const wait = client.sendWaiting(frame, message.maxWaitMs);
        if (wait !== undefined) message.waits.push(wait);
      } else client.send(frame);
    }
  }
}

/** Tells one who has joined what was held for it. */
export function tellOne(member: Membership, message: BroadcastMessage): void {
  const { definition, socket } = member;
  if (definition.intercepts(message.event)) return intercept(member, message);
  const { client, world } = socket;
  client.send(message.frame(client.serializer, definition.slow, world.limits));
}

/** A client that cannot be sent bytes misses this broadcast, and it alone: it could not stop what others are told. */
export function bytesMissed({ event, reach }: BroadcastMessage, { pattern }: AnyDefinition): void {
  const reason = "bytes for a client that takes none";
  if (refused.active) refused.emit({ what: `${event} on ${pattern}`, reason });
  reach?.settled(false);
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
