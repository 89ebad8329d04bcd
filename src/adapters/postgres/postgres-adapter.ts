import { checkKnown } from "../../process/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { PostgresConnection } from "./postgres-connection.ts";
import { postgresOptions, postgresTarget, type PostgresOptions } from "./postgres-options.ts";
import { PostgresSession } from "./postgres-session.ts";

/** How to reach Postgres. */
export type PostgresAdapterOptions = PostgresOptions;

/**
 * Joins nodes by `LISTEN` and `NOTIFY`, for `pubsub({ adapter })`; each node holds one session, which must not go through
 * a pool that shares sessions between transactions. Needs `pg` 8.
 *
 * What Postgres promises: at most once; the order of one session; a message reaches whoever listens when its transaction
 * commits, and is kept nowhere. A message is at most 7,999 bytes with its envelope of some 60, another 58 where nodes sign,
 * and its topic: larger ones are
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
export function postgresAdapter(options: PostgresAdapterOptions): Adapter {
  checkKnown("postgresAdapter", options, new Set(postgresOptions));
  const { connection, prefix, isLoopback } = postgresTarget(options);
  return {
    kind: "postgres",
    isLoopback,
    async connect(events, signal) {
      return new PostgresConnection(
        await PostgresSession.connect(connection, signal),
        events,
        prefix,
      );
    },
  };
}
