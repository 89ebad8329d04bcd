import type { Bus } from "../../pubsub/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "./broadcast.ts";
import type { EndpointRecord } from "../directory.ts";
import type { Flusher } from "./flusher.ts";
import type { Membership } from "../socket/membership.ts";
import { TopicSubscribers } from "./topic-subscribers.ts";

interface Open {
  readonly subscribers: TopicSubscribers;
  /** Who will hear it once its join is answered. */
  readonly expected: Set<Membership>;
  /** Where it has history, its log is the bus. */
  readonly subscription: Disposable | undefined;
}

/** Who joined what, on one endpoint: the subscribers of each topic and definition, on the bus while there are any. */
export class FanOut {
  readonly #bus: Bus;
  readonly #record: EndpointRecord;
  readonly #flusher: Flusher;
  readonly #topics: Map<AnyDefinition, Map<string, Open>> = new Map();

  constructor(bus: Bus, record: EndpointRecord, flusher: Flusher) {
    this.#bus = bus;
    this.#record = record;
    this.#flusher = flusher;
  }

  /** The node hears the topic for one who will; resolves when other nodes are heard too, if there is that to wait for. */
  expect(membership: Membership): Promise<void> | undefined {
    this.#opened(membership).expected.add(membership);
    return this.#bus.confirmed(this.#record.busTopic(membership.topic));
  }

  /** From now on it hears the topic. */
  enter(membership: Membership): void {
    const { subscribers, expected } = this.#opened(membership);
    subscribers.add(membership);
    expected.delete(membership);
    this.#record.changed();
  }

  /** It hears no more. */
  leave(membership: Membership): void {
    const { definition, topic } = membership;
    if (definition.history !== undefined) this.#record.log.leave(membership);
    const topics = this.#topics.get(definition);
    const open = topics?.get(topic);
    if (topics === undefined || open === undefined) return;
    const { subscribers, expected } = open;
    if (!subscribers.remove(membership) && !expected.delete(membership)) return;
    if (subscribers.size + expected.size > 0) return;
    open.subscription?.[Symbol.dispose]();
    topics.delete(topic);
    if (topics.size === 0) this.#topics.delete(definition);
  }

  /** Hands on what the log of a topic says, or this node by itself. */
  spread(topic: string, message: BroadcastMessage): void {
    for (const topics of this.#topics.values())
      topics.get(topic)?.subscribers.hear(message, undefined);
  }

  #opened({ definition, topic }: Membership): Open {
    let topics = this.#topics.get(definition);
    if (topics === undefined) this.#topics.set(definition, (topics = new Map<string, Open>()));
    let open = topics.get(topic);
    if (open === undefined) {
      const subscribers = new TopicSubscribers(topic, definition, this.#record, this.#flusher);
      const subscription =
        definition.history === undefined
          ? this.#bus.subscribe(this.#record.busTopic(topic), subscribers)
          : undefined;
      topics.set(topic, (open = { subscribers, expected: new Set(), subscription }));
    }
    return open;
  }

  /** How many have joined a topic. */
  clients(topic: string): number {
    let clients = 0;
    for (const topics of this.#topics.values()) clients += topics.get(topic)?.subscribers.size ?? 0;
    return clients;
  }
}
