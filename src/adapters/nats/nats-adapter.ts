import { checkKnown } from "../../process/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { connectNats } from "./nats-connect.ts";
import { NatsConnection } from "./nats-connection.ts";
import { natsOptions, natsTarget, type NatsOptions } from "./nats-options.ts";

/** How to reach NATS. */
export type NatsAdapterOptions = NatsOptions;

/**
 * Joins nodes by NATS core subjects, for `pubsub({ adapter })`. Needs `@nats-io/transport-node` 3.
 *
 * What NATS promises: at most once; the order of one connection; a message reaches whoever is subscribed when it arrives
 * at the server, and is kept nowhere. A node that reads too slowly is disconnected by the server, which is a gap. A topic
 * is one subject, `prefix.t/…`; a message is at most the server's `max_payload`, 1 MiB by default. Nodes at different
 * servers of a cluster hear each other while their servers do, without being told when they do not.
 *
 * ```ts no-run
 * import { startSupervisor } from "sluice";
 * import { natsAdapter } from "sluice/nats";
 * import { pubsub } from "sluice/pubsub";
 *
 * await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: { pubsub: pubsub({ adapter: natsAdapter({ servers: "127.0.0.1:4222" }) }) },
 * });
 * ```
 * @throws SluiceError `SLUICE_INVALID_OPTION`
 */
export function natsAdapter(options: NatsAdapterOptions): Adapter {
  checkKnown("natsAdapter", options, new Set(natsOptions));
  const { connection, prefix, isLoopback } = natsTarget(options);
  return {
    kind: "nats",
    isLoopback,
    async connect(events, signal) {
      signal.throwIfAborted();
      return new NatsConnection(await connectNats(connection, signal), events, prefix);
    },
  };
}
