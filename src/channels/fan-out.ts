import type { Bus } from "../pubsub/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";
import type { EndpointRecord } from "./directory.ts";
import type { Membership } from "./membership.ts";
import { Room } from "./room.ts";

interface Open {
  readonly room: Room;
  readonly subscription: Disposable;
}

/** Who joined what, on one endpoint: a room per topic and definition, on the bus while anybody is in it. */
export class FanOut {
  readonly #bus: Bus;
  readonly #record: EndpointRecord;
  readonly #rooms: Map<AnyDefinition, Map<string, Open>> = new Map();

  constructor(bus: Bus, record: EndpointRecord) {
    this.#bus = bus;
    this.#record = record;
  }

  /** From now on it hears the topic. */
  enter(membership: Membership): void {
    const { definition, topic } = membership;
    let topics = this.#rooms.get(definition);
    if (topics === undefined) this.#rooms.set(definition, (topics = new Map<string, Open>()));
    let open = topics.get(topic);
    if (open === undefined) {
      const room = new Room(topic, definition, this.#record);
      const subscription = this.#bus.subscribe(this.#record.busTopic(topic), room);
      topics.set(topic, (open = { room, subscription }));
    }
    open.room.members.add(membership);
    this.#record.changed();
  }

  /** It hears no more. */
  leave(membership: Membership): void {
    const { definition, topic } = membership;
    const topics = this.#rooms.get(definition);
    const open = topics?.get(topic);
    if (topics === undefined || open?.room.members.delete(membership) !== true) return;
    if (open.room.members.size > 0) return;
    open.subscription[Symbol.dispose]();
    topics.delete(topic);
    if (topics.size === 0) this.#rooms.delete(definition);
  }

  /** How many have joined a topic. */
  clients(topic: string): number {
    let clients = 0;
    for (const topics of this.#rooms.values()) clients += topics.get(topic)?.room.members.size ?? 0;
    return clients;
  }
}
