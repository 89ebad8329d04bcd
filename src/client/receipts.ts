/** What of the stock client's `Channel` is used. */
export interface ReceivingChannel {
  /** Sees each message before its handlers; the result is what they get. */
  onMessage: (event: string, payload?: unknown, ref?: unknown) => unknown;
  /** Sends an event. */
  push(event: string, payload: object): unknown;
}

/** Under this key the server writes into a payload what is not the application's. */
const reserved = "~";

function receiptOf(payload: unknown): number | undefined {
  if (typeof payload !== "object" || payload === null || !(reserved in payload)) return undefined;
  const { receipt } = (payload[reserved] ?? {}) as { readonly receipt?: unknown };
  return typeof receipt === "number" ? receipt : undefined;
}

/**
 * Answers the messages that ask for it with a receipt, so that the server knows how long a message takes to this client:
 * some ten a second at most, whatever the traffic. Call it once, before `channel.join()`.
 *
 * ```ts no-run
 * import { Socket } from "phoenix";
 * import { sendReceipts } from "sluice/client";
 *
 * const socket = new Socket("/socket");
 * const channel = socket.channel("logs:app");
 * sendReceipts(channel);
 * socket.connect();
 * channel.join();
 * ```
 */
export function sendReceipts(channel: ReceivingChannel): void {
  const before = channel.onMessage.bind(channel);
  channel.onMessage = (event, payload, ref) => {
    const receipt = receiptOf(payload);
    // After the handlers, which run at once when this returns: the message has arrived when they have seen it.
    if (receipt !== undefined)
      void Promise.resolve().then(() => channel.push("~receipt", { id: receipt }));
    return before(event, payload, ref);
  };
}
