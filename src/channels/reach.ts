import type { System } from "../runtime/internal.ts";
import type { SendOptions } from "./broadcast.ts";
import { directory, type EndpointRecord } from "./directory.ts";
import { broadcastTo } from "./voice.ts";

/** Anything that names an endpoint. */
interface Keyed {
  readonly key: string;
}

function recordOf(endpoint: Keyed, system: System): EndpointRecord {
  return system.get(directory).record(endpoint.key);
}

/**
 * A broadcast for a sender that measures, or waits for slow clients: the promise resolves when none is over its limit.
 * @throws SLUICE_PAYLOAD_REFUSED
 */
export function send(
  endpoint: Keyed,
  system: System,
  topic: string,
  event: string,
  payload: object,
  options: SendOptions,
): Promise<void> | undefined {
  return broadcastTo(system, recordOf(endpoint, system), topic, event, payload, undefined, options);
}

/** Hears of each receipt that a client sends for a message of a topic it has joined. */
export function onReceipt(
  endpoint: Keyed,
  system: System,
  listener: (topic: string, receipt: unknown) => void,
): void {
  recordOf(endpoint, system).onReceipt = listener;
}

/** How many clients of this node have joined a topic. */
export function clientsOf(endpoint: Keyed, system: System, topic: string): number {
  return recordOf(endpoint, system).clients(topic);
}

/** Resolves when so many clients of this node have joined a topic. */
export function whenJoined(
  endpoint: Keyed,
  system: System,
  topic: string,
  count: number,
): Promise<void> {
  const record = recordOf(endpoint, system);
  return new Promise((resolve) => {
    const look = (): void => {
      if (record.clients(topic) < count) return;
      record.watchers.delete(look);
      resolve();
    };
    record.watchers.add(look);
    look();
  });
}
