import type { Slot } from "../runtime/internal.ts";
import { unreached } from "../telemetry/internal.ts";

/** Who hears a topic: called by whoever broadcasts, at once; it only enqueues. */
export interface Listener {
  hear(message: unknown, from: unknown): void;
}

/** Topics and their listeners: the local bus of one system, there from its birth. */
export class Bus {
  readonly topics: Map<string, Set<Listener>> = new Map();
  /** Broadcasts that nobody on this node heard. */
  unreached = 0;

  /**
   * To every listener of the topic, in the order of subscription; returns how many there are. One that throws keeps no
   * other from hearing: the first failure is thrown when all have heard.
   */
  broadcast(topic: string, message: unknown, from?: unknown): number {
    const listeners = this.topics.get(topic);
    if (listeners === undefined) {
      this.unreached++;
      if (unreached.active) unreached.emit({ topic, count: 1 });
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

  /** Hears from now on, until disposed. */
  subscribe(topic: string, listener: Listener): Disposable {
    let listeners = this.topics.get(topic);
    if (listeners === undefined) this.topics.set(topic, (listeners = new Set()));
    listeners.add(listener);
    return { [Symbol.dispose]: () => this.unsubscribe(topic, listener) };
  }

  unsubscribe(topic: string, listener: Listener): void {
    const listeners = this.topics.get(topic);
    if (listeners?.delete(listener) === true && listeners.size === 0) this.topics.delete(topic);
  }
}

/** Where a system keeps its bus. */
export const bus: Slot<Bus> = { key: "pubsub.bus", create: () => new Bus() };
