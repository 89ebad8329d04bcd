import { invalidOption } from "../support/internal.ts";
import type { Slot } from "../runtime/internal.ts";
import type { FanOut } from "./fan-out.ts";

/** What a system knows of one endpoint, whether or not it serves. */
export class EndpointRecord {
  readonly key: string;
  readonly #prefix: string;
  /** Whose channels they are. */
  #definer: object | undefined = undefined;
  /** One for each server that runs. */
  readonly fanOuts: Set<FanOut> = new Set();
  /** Told of each receipt. */
  onReceipt: ((topic: string, receipt: unknown, client: object) => void) | undefined = undefined;
  /** Told of each join. */
  readonly watchers: Set<() => void> = new Set();

  constructor(key: string) {
    this.key = key;
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

  /** Takes the channels of one definer, always the same. @throws SLUICE_INVALID_OPTION */
  define(definer: object): void {
    this.#definer ??= definer;
    if (this.#definer !== definer)
      throw invalidOption("endpoint", this.key, "one endpoint of this key that defines channels");
  }

  /** How many clients have joined a topic on this node. */
  clients(topic: string): number {
    let clients = 0;
    for (const fanOut of this.fanOuts) clients += fanOut.clients(topic);
    return clients;
  }

  /** A client says that it has a message. */
  received(topic: string, receipt: unknown, client: object): void {
    this.onReceipt?.(topic, receipt, client);
  }

  /** Somebody has joined. */
  changed(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** The endpoints of a system, by key. */
export class Directory {
  readonly #records: Map<string, EndpointRecord> = new Map();

  record(key: string): EndpointRecord {
    let record = this.#records.get(key);
    if (record === undefined) this.#records.set(key, (record = new EndpointRecord(key)));
    return record;
  }
}

/** Where a system keeps its endpoints. */
export const directory: Slot<Directory> = {
  key: "channels.directory",
  create: () => new Directory(),
};
