import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";

/** Connects, unless the signal aborts: what comes after that is let go. */
export function connectNats(
  options: NodeConnectionOptions,
  signal: AbortSignal,
): Promise<NatsConnection> {
  const connecting = connect(options);
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      connecting.then((late) => late.close()).catch(() => {});
    };
    signal.addEventListener("abort", abort, { once: true });
    connecting
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort))
      .catch(() => {});
  });
}
