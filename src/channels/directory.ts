import { invalidOption } from "../support/internal.ts";
import type { Slot, System } from "../runtime/internal.ts";
import { bus, type Codec } from "../pubsub/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";
import type { BroadcastMessage } from "./fan-out/broadcast.ts";
import { broadcastCodec } from "./wire/broadcast-codec.ts";
import type { FanOut } from "./fan-out/fan-out.ts";
import { EndpointLog } from "./history/endpoint-log.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { matchTopic } from "./topic-pattern.ts";

/** What a system knows of one endpoint, whether or not it serves. */
export class EndpointRecord {
  readonly key: string;
  readonly #prefix: string;
  /** The history of its topics. */
  readonly log: EndpointLog;
  /** The limits of the server that started last. */
  limits: Limits = defaultLimits;
  /** The channels, of the one token that defines them; more may come. */
  #definitions: readonly AnyDefinition[] = [];
  /** One for each server that runs. */
  readonly fanOuts: Set<FanOut> = new Set();
  /** Told of each receipt. */
  readonly receiptListeners: Set<(topic: string, id: unknown) => void> = new Set();
  /** Told of each join. */
  readonly watchers: Set<() => void> = new Set();

  /** How its broadcasts cross to other nodes. */
  readonly codec: Codec<BroadcastMessage> = broadcastCodec(() => this.limits);

  constructor(system: System, key: string) {
    this.key = key;
    system.get(bus).reads(this.codec);
    this.log = new EndpointLog(system, this);
    this.#prefix = `channel:${key}:`;
  }

  /** Where a topic is on the bus. */
  busTopic(topic: string): string {
    return this.#prefix + topic;
  }

  /** Where its sockets hear that they are to end. */
  get controlTopic(): string {
    return `endpoint:${this.key}`;
  }

  /** Takes the channels of one token, always the same. @throws SLUICE_INVALID_OPTION */
  define(definitions: readonly AnyDefinition[]): void {
    if (definitions === this.#definitions || definitions.length === 0) return;
    if (this.#definitions.length > 0)
      throw invalidOption("endpoint", this.key, "one endpoint of this key that defines channels");
    this.#definitions = definitions;
  }

  /** The channel that keeps a topic's history; nothing for one without. */
  keeping(topic: string): AnyDefinition | undefined {
    const definition = matchTopic(this.#definitions, topic)?.pattern;
    return definition?.history === undefined ? undefined : definition;
  }

  /** How many clients have joined a topic on this node. */
  clients(topic: string): number {
    let clients = 0;
    for (const fanOut of this.fanOuts) clients += fanOut.clients(topic);
    return clients;
  }

  /** A client says that it has a message. */
  received(topic: string, payload: unknown): void {
    if (typeof payload === "object" && payload !== null && "id" in payload)
      for (const listener of this.receiptListeners) listener(topic, payload.id);
  }

  /** Somebody has joined. */
  changed(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** The endpoints of a system, by key. */
export class Directory {
  readonly #system: System;
  readonly #records: Map<string, EndpointRecord> = new Map();

  constructor(system: System) {
    this.#system = system;
  }

  record(key: string): EndpointRecord {
    let record = this.#records.get(key);
    if (record === undefined)
      this.#records.set(key, (record = new EndpointRecord(this.#system, key)));
    return record;
  }
}

/** Where a system keeps its endpoints. */
export const directory: Slot<Directory> = {
  key: "channels.directory",
  create: (system) => new Directory(system),
};
