import pg, { type ClientConfig } from "pg";
import { invalidOption } from "../../support/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { PostgresConnection } from "./postgres-connection.ts";

/** How to reach Postgres. */
export interface PostgresAdapterOptions {
  /** `postgres://[user[:password]@]host[:port]/database`. */
  readonly connectionString: string;
  /**
   * What all channels begin with: nodes of one prefix and one database hear each other. At most 18 small letters, digits
   * and `_`; default `"sluice"`.
   */
  readonly prefix?: string;
  /** What else the client takes: `password`, `ssl`, … */
  readonly client?: Omit<ClientConfig, "connectionString">;
}

/**
 * Joins nodes by `LISTEN` and `NOTIFY`, for `pubsub({ adapter })`; each node holds one session, which must not go through
 * a pool that shares sessions between transactions. Needs `pg` 8.
 *
 * What Postgres promises: at most once; the order of one session; a message reaches whoever listens when its transaction
 * commits, and is kept nowhere. A message is at most 7,999 bytes with its envelope of some 60 and its topic: larger ones are
 * refused where they are broadcast. All notifications of a database go through one queue, one commit after the other, and
 * past each session that listens to anything: this is for some thousands of messages in a second, not for more.
 * A channel is named by the SHA-256 of its topic; nothing is written to any table.
 *
 * ```ts no-run
 * import { startSupervisor } from "sluice";
 * import { postgresAdapter } from "sluice/postgres";
 * import { pubsub } from "sluice/pubsub";
 *
 * const connectionString = "postgres://app@127.0.0.1:5432/app";
 * await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: { pubsub: pubsub({ adapter: postgresAdapter({ connectionString }) }) },
 * });
 * ```
 * @throws SluiceError `SLUICE_INVALID_OPTION`
 */
export function postgresAdapter({
  connectionString,
  prefix = "sluice",
  client: options,
}: PostgresAdapterOptions): Adapter {
  // The text may hold a password: it is not shown.
  if (!/^(postgres|postgresql|socket):/.test(connectionString))
    throw invalidOption("connectionString", "something else", "postgres://…");
  if (!/^[a-z][a-z0-9_]{0,17}$/.test(prefix))
    throw invalidOption("prefix", prefix, "1 to 18 small letters, digits and _");
  return {
    kind: "postgres",
    async connect(events, signal) {
      signal.throwIfAborted();
      const client = new pg.Client({
        application_name: "sluice",
        keepAlive: true,
        ...options,
        connectionString,
      });
      // Errors reach whoever waits; without a listener they would end the program.
      client.on("error", () => {});
      const letGo = (): void => void client.end().catch(() => {});
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      try {
        await Promise.race([client.connect(), aborted.promise]);
        signal.throwIfAborted();
        return new PostgresConnection(client, events, prefix);
      } catch (error) {
        letGo();
        throw error;
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
  };
}
