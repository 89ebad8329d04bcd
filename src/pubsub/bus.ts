import type { Slot, System } from "../runtime/internal.ts";
import { log, unreached } from "../telemetry/internal.ts";
import { jsonCodec, type Codec } from "./codec.ts";

/** Who hears a topic: called by whoever broadcasts, at once; it only enqueues. */
export interface Listener {
  hear(message: unknown, from: unknown): void;
}

/** What joins a bus to those of other nodes. */
export interface Uplink {
  /** Nodes prove to each other that they are ours. */
  readonly isSigned: boolean;
  /** To the other nodes that hear the topic, or to `node` alone. @throws SLUICE_PAYLOAD_REFUSED if it is too large */
  publish(topic: string, kind: string, text: string, node?: string): void;
  /** The first listener of a topic is there. */
  hold(topic: string): void;
  /** The last one is gone. */
  release(topic: string): void;
  /**
   * Settles when what other nodes broadcast from then on is heard: the broker has confirmed it. After a bound, or when
   * the connection is lost, it resolves all the same. Nothing to wait for, or nobody to wait for: `undefined`.
   */
  confirmed(topic: string): Promise<void> | undefined;
}

/** A time in which messages between nodes may have been lost. */
export interface Gap {
  /** The node that was cut off: others miss what it said, and it misses what they said. */
  readonly node: string;
  /** It is this one. */
  readonly isOwn: boolean;
  /** How long. */
  readonly downMs: number;
  /** Messages that it is known not to have sent. */
  readonly unsent: number;
}

/** Topics and their listeners: the bus of one system, there from its birth; with an uplink, joined to those of other nodes. */
export class Bus {
  readonly topics: Map<string, Set<Listener>> = new Map();
  /** Broadcasts that nobody heard. */
  unreached = 0;
  /** To the other nodes, when there are any. */
  uplink: Uplink | undefined = undefined;
  readonly #newName: () => string;
  #name: string | undefined = undefined;
  readonly #codecs: Map<string, Codec<unknown>> = new Map([[jsonCodec.kind, jsonCodec]]);
  readonly #gapListeners: Set<(gap: Gap) => void> = new Set();

  /** @param newName makes a name, when the first is needed and nobody has given one */
  constructor(newName: () => string = () => "") {
    this.#newName = newName;
  }

  /** How other nodes know this one: unique, unless somebody has named it. */
  get nodeName(): string {
    return (this.#name ??= this.#newName());
  }
  set nodeName(name: string) {
    this.#name = name;
  }

  /**
   * To every listener of the topic on all nodes, here in the order of subscription; returns how many there are here. One
   * that throws keeps no other from hearing: the first failure is thrown when all have heard.
   * @throws SLUICE_PAYLOAD_REFUSED, before anybody has heard it, if it cannot cross and there is an uplink
   */
  broadcast<T>(
    topic: string,
    message: T,
    from?: unknown,
    codec: Codec<T> = jsonCodec as Codec<T>,
  ): number {
    const { uplink } = this;
    if (uplink !== undefined) uplink.publish(topic, codec.kind, codec.encode(topic, message));
    return this.broadcastLocal(topic, message, from);
  }

  /** To the listeners of this node. */
  broadcastLocal(topic: string, message: unknown, from?: unknown): number {
    const listeners = this.topics.get(topic);
    if (listeners === undefined) {
      if (this.uplink === undefined) {
        this.unreached++;
        if (unreached.active) unreached.emit({ topic, count: 1 });
      }
      return 0;
    }
    let failure: { readonly error: unknown } | undefined;
    for (const listener of listeners) {
      try {
        listener.hear(message, from);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return listeners.size;
  }

  /** To the listeners of one node, as it would cross even if it is this one; to a node that is not there, nothing. */
  direct<T>(
    node: string,
    topic: string,
    message: T,
    codec: Codec<T> = jsonCodec as Codec<T>,
  ): void {
    const text = codec.encode(topic, message);
    if (node === this.nodeName) this.broadcastLocal(topic, codec.decode(topic, text));
    else this.uplink?.publish(topic, codec.kind, text, node);
  }

  /** A message of another node: to the listeners here. Throws what a codec or a listener throws. */
  arrive(topic: string, kind: string, text: string): void {
    if (!this.topics.has(topic)) return;
    const codec = this.#codecs.get(kind);
    if (codec !== undefined) this.broadcastLocal(topic, codec.decode(topic, text));
  }

  /** Messages of that kind are read from now on. */
  reads<T>(codec: Codec<T>): void {
    this.#codecs.set(codec.kind, codec);
  }

  /** Hears from now on, until disposed. */
  subscribe(topic: string, listener: Listener): Disposable {
    let listeners = this.topics.get(topic);
    if (listeners === undefined) {
      this.topics.set(topic, (listeners = new Set()));
      this.uplink?.hold(topic);
    }
    listeners.add(listener);
    return { [Symbol.dispose]: () => this.unsubscribe(topic, listener) };
  }

  unsubscribe(topic: string, listener: Listener): void {
    const listeners = this.topics.get(topic);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.topics.delete(topic);
    this.uplink?.release(topic);
  }

  /** What `confirmed` of the uplink says; without one there is nothing to wait for. */
  confirmed(topic: string): Promise<void> | undefined {
    return this.uplink?.confirmed(topic);
  }

  /** Is told of each gap, until disposed. */
  onGap(listener: (gap: Gap) => void): Disposable {
    this.#gapListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#gapListeners.delete(listener) };
  }

  /** Something may be missing. */
  gap(gap: Gap): void {
    for (const listener of this.#gapListeners)
      try {
        listener(gap);
      } catch (error) {
        log("error", "a listener of gaps threw", error);
      }
  }
}

/** Twenty letters of chance: no secret, but no other node's. */
export function newNodeName({ runtime }: System): string {
  const part = (): string => Math.floor(runtime.random() * 36 ** 5).toString(36);
  return Array.from({ length: 4 }, () => part().padStart(5, "0")).join("");
}

/** Where a system keeps its bus. */
export const bus: Slot<Bus> = {
  key: "pubsub.bus",
  create: (system) => new Bus(() => newNodeName(system)),
};
