import { connect, type NodeConnectionOptions } from "@nats-io/transport-node";
import { invalidOption } from "../../support/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { NatsConnection } from "./nats-connection.ts";

/** How to reach NATS. */
export interface NatsAdapterOptions {
  /** The servers of one cluster, `"host:port"` each; any of them will do. */
  readonly servers: string | readonly string[];
  /** What all subjects begin with: nodes of one prefix hear each other. Default `"sluice"`. */
  readonly prefix?: string;
  /** What else the client takes: `user`, `pass`, `token`, `authenticator`, `tls`, … It never reconnects by itself. */
  readonly client?: Omit<NodeConnectionOptions, "servers" | "reconnect" | "noEcho">;
}

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
export function natsAdapter({ servers, prefix = "sluice", client }: NatsAdapterOptions): Adapter {
  if (!/^[\w-]+(\.[\w-]+)*$/.test(prefix) || prefix.length > 200)
    throw invalidOption("prefix", prefix, "a NATS subject of letters, digits, _ and -");
  const list = typeof servers === "string" ? [servers] : [...servers];
  if (list.length === 0) throw invalidOption("servers", list, "at least one");
  // What may be a password is not shown.
  if (list.some((server) => server.includes("@")))
    throw invalidOption("servers", "one with an @", "host:port; who you are goes into client");
  return {
    kind: "nats",
    async connect(events, signal) {
      signal.throwIfAborted();
      const connecting = connect({ name: "sluice", ...client, servers: list, reconnect: false });
      const connected = await unlessAborted(connecting, signal, (late) => late.close());
      return new NatsConnection(connected, events, prefix);
    },
  };
}

/** What comes after the abort is let go. */
function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  letGo: (late: T) => Promise<unknown>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      work.then(letGo).catch(() => {});
    };
    signal.addEventListener("abort", abort, { once: true });
    work
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort))
      .catch(() => {});
  });
}
