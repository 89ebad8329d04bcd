import type { System } from "../../runtime/internal.ts";
import { bus } from "../../pubsub/internal.ts";
import { BroadcastMessage, type SendOptions } from "./broadcast.ts";
import type { EndpointRecord } from "../directory.ts";

/**
 * Broadcasts to all who joined a topic, except `from`; where the topic has history, by its log alone. The promise is a
 * wait: for slow clients, or for the log where `options` ask to be told what became of it.
 *
 * @throws SLUICE_PAYLOAD_REFUSED
 */
export function speak(
  system: System,
  record: EndpointRecord,
  topic: string,
  event: string,
  payload: object,
  from?: object,
  options?: SendOptions,
): Promise<void> | undefined {
  if (record.log.keeps(topic)) {
    if (options !== undefined) return record.log.send(topic, event, payload, options);
    record.log.broadcast(topic, event, payload);
    return undefined;
  }
  const onBus = record.busTopic(topic);
  const message = BroadcastMessage.said(topic, event, payload, options);
  try {
    if (options?.isLocal === true) system.get(bus).broadcastLocal(onBus, message, from);
    else system.get(bus).broadcast(onBus, message, from, record.codec);
  } finally {
    message.reach?.close();
  }
  const { waits } = message;
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
}
