// oxlint-disable-next-line eslint/no-restricted-properties -- a browser has no Runtime, and nothing but load depends on it
const random = (): number => Math.random();

/** What of the stock client's `Channel` is used. */
export interface ReceivingChannel {
  /** Sees each message before its handlers; the result is what they get. */
  onMessage: (event: string, payload?: unknown, ref?: unknown) => unknown;
  /** Sends an event. */
  push(event: string, payload: object): unknown;
}

/** Under this key the server writes into a payload what is not the application's. */
const reserved = "~";

/** The id that a payload asks a receipt for, if this client is among those who answer. */
function receiptOf(payload: unknown, chance: () => number): number | undefined {
  if (typeof payload !== "object" || payload === null || !(reserved in payload)) return undefined;
  const { receipt, oneIn = 1 } = (payload[reserved] ?? {}) as Asked;
  return typeof receipt === "number" && chance() * oneIn < 1 ? receipt : undefined;
}

interface Asked {
  readonly receipt?: unknown;
  readonly oneIn?: number;
}

/**
 * Answers the messages that ask for it with a receipt, so that the server knows how long a message takes to this client:
 * some ten a second from all clients together, whatever the traffic. Call it once, before `channel.join()`. `chance`, from 0
 * to 1, decides whether this client is among those who answer; default `Math.random`.
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
export function sendReceipts(channel: ReceivingChannel, chance: () => number = random): void {
  const before = channel.onMessage.bind(channel);
  channel.onMessage = (event, payload, ref) => {
    const receipt = receiptOf(payload, chance);
    // After the handlers, which run at once when this returns: the message has arrived when they have seen it.
    if (receipt !== undefined)
      void Promise.resolve().then(() => channel.push("~receipt", { id: receipt }));
    return before(event, payload, ref);
  };
}
