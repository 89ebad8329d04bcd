// What the layers above need of an endpoint and its users do not.
import type { System } from "../runtime/internal.ts";
import type { SendOptions } from "./fan-out/broadcast.ts";
import { directory } from "./directory.ts";
import type { Endpoint } from "./endpoint.ts";

/** An endpoint of any contract. */
type AnyEndpoint<M, SA> = Pick<Endpoint<M, SA>, "key">;

/**
 * Broadcasts as an endpoint does, for senders that measure and wait. With `slow: "wait"`, the promise resolves when no
 * client of the topic is over its limit any more: it has caught up, or was disconnected.
 *
 * @throws SLUICE_PAYLOAD_REFUSED
 */
export function send<M, SA>(
  endpoint: Endpoint<M, SA>,
  system: System,
  topic: string,
  event: string,
  payload: object,
  options: SendOptions = {},
): Promise<void> | undefined {
  return endpoint["~send"](system, topic, event, payload, options);
}

/** How many clients have joined a topic on this node. */
export function clientsOf<M, SA>(
  { key }: AnyEndpoint<M, SA>,
  system: System,
  topic: string,
): number {
  return system.get(directory).record(key).clients(topic);
}

/** Resolves when so many clients have joined a topic on this node; rejects with the signal's reason. */
export function whenJoined<M, SA>(
  { key }: AnyEndpoint<M, SA>,
  system: System,
  topic: string,
  count: number,
  signal?: AbortSignal,
): Promise<void> {
  const record = system.get(directory).record(key);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      record.watchers.delete(look);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const look = (): void => {
      if (record.clients(topic) >= count) end(resolve);
    };
    const abort = (): void => end(() => reject(signal!.reason as Error));
    if (signal?.aborted === true) return abort();
    record.watchers.add(look);
    signal?.addEventListener("abort", abort);
    look();
  });
}

/** Hears what clients answer as receipts, with the id that they were asked for; nobody has checked it. */
export function onReceipt(
  system: System,
  key: string,
  listener: (topic: string, id: unknown) => void,
): Disposable {
  const { receiptListeners } = system.get(directory).record(key);
  receiptListeners.add(listener);
  return { [Symbol.dispose]: () => void receiptListeners.delete(listener) };
}
