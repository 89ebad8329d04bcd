import type { System } from "../runtime/internal.ts";
import { bus } from "../pubsub/internal.ts";
import { BroadcastMessage, type SendOptions } from "./broadcast.ts";
import type { Position } from "./contract.ts";
import type { EndpointRecord } from "./directory.ts";

/** What became of a broadcast at once. */
export interface Published {
  /** Its place in the history of its topic, if there is one. */
  readonly position: Position | undefined;
  /** Clients are waited for. */
  readonly wait: Promise<void> | undefined;
}

/**
 * Broadcasts to all who joined a topic, except `from`, and appends it to the history of the topic if it has one.
 *
 * @throws SLUICE_PAYLOAD_REFUSED
 */
export function publishLocal(
  system: System,
  record: EndpointRecord,
  topic: string,
  event: string,
  payload: object,
  from?: object,
  options?: SendOptions,
): Published {
  const bounds = record.historyOf(topic);
  const message = new BroadcastMessage(topic, event, payload, options);
  let position: Position | undefined;
  if (bounds !== undefined) {
    const json = message.json(record.limits);
    const past = { event, json, bytes: Buffer.byteLength(json) };
    position = record.histories.append(topic, bounds, past);
    message.meta = { ...message.meta, offset: position.offset };
  }
  const onBus = record.busTopic(topic);
  try {
    // What has history in memory has another one on each node.
    if (bounds !== undefined || options?.isLocal === true)
      system.get(bus).broadcastLocal(onBus, message, from);
    else system.get(bus).broadcast(onBus, message, from, record.codec);
  } finally {
    message.reach?.close();
  }
  const { waits } = message;
  return { position, wait: waits.length === 0 ? undefined : Promise.all(waits).then(() => {}) };
}
