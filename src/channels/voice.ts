import type { System } from "../runtime/internal.ts";
import { bus } from "../pubsub/internal.ts";
import { BroadcastMessage, type SendOptions } from "./broadcast.ts";
import type { EndpointRecord } from "./directory.ts";

/** Says something to all who joined a topic. @throws SLUICE_PAYLOAD_REFUSED */
export function broadcastTo(
  system: System,
  record: EndpointRecord,
  topic: string,
  event: string,
  payload: object,
  from?: object,
  options?: SendOptions,
): Promise<void> | undefined {
  const message = new BroadcastMessage(topic, event, payload, options);
  system.get(bus).broadcast(record.busTopic(topic), message, from);
  message.reach?.close();
  return message.waits.length === 0 ? undefined : Promise.all(message.waits).then(() => {});
}
