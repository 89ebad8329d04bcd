import { createClient } from "redis";
import { checkKnown } from "../../process/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { RedisConnection, type Client } from "./redis-connection.ts";
import { redisOptions, redisTarget, type RedisOptions } from "./redis-options.ts";

/** How to reach Redis. */
export type RedisAdapterOptions = RedisOptions;

/**
 * Joins nodes by Redis channels, for `pubsub({ adapter })`; each node has two connections. Needs `redis` 6.
 *
 * What Redis promises: at most once; the order of one connection; a message reaches whoever is subscribed when the server
 * handles it, and is kept nowhere, whatever the server's persistence. A node that reads too slowly is disconnected by the
 * server (`client-output-buffer-limit pubsub`), which is a gap; so is a fail-over. A topic is one channel, `prefix:t/…`.
 * In a Redis cluster each message goes to all of its servers.
 *
 * ```ts no-run
 * import { startSupervisor } from "sluice";
 * import { pubsub } from "sluice/pubsub";
 * import { redisAdapter } from "sluice/redis";
 *
 * await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: { pubsub: pubsub({ adapter: redisAdapter({ url: "redis://127.0.0.1:6379" }) }) },
 * });
 * ```
 * @throws SluiceError `SLUICE_INVALID_OPTION`
 */
export function redisAdapter(options: RedisAdapterOptions): Adapter {
  checkKnown("redisAdapter", options, new Set(redisOptions));
  const { connection, prefix, isLoopback } = redisTarget(options);
  const make = (): Client => {
    // Errors reach whoever waits; without a listener they would end the program.
    return (createClient(connection) as unknown as Client).on("error", () => {});
  };
  return {
    kind: "redis",
    isLoopback,
    async connect(events, signal) {
      signal.throwIfAborted();
      const [speaker, hearer] = [make(), make()];
      const letGo = (): void => {
        speaker.destroy();
        hearer.destroy();
      };
      signal.addEventListener("abort", letGo, { once: true });
      try {
        await Promise.all([speaker.connect(), hearer.connect()]);
        signal.throwIfAborted();
        return new RedisConnection(speaker, hearer, events, prefix);
      } catch (error) {
        letGo();
        throw signal.aborted ? signal.reason : error;
      } finally {
        signal.removeEventListener("abort", letGo);
      }
    },
  };
}
