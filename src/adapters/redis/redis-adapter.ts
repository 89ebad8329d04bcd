import { createClient, type RedisClientOptions } from "redis";
import { invalidOption } from "../../support/internal.ts";
import type { Adapter } from "../../pubsub/index.ts";
import { RedisConnection, type Client } from "./redis-connection.ts";

/** How to reach Redis. */
export interface RedisAdapterOptions {
  /** `redis[s]://[user:password@]host[:port]`. */
  readonly url: string;
  /** What all channels begin with: nodes of one prefix hear each other, whatever database they use. Default `"sluice"`. */
  readonly prefix?: string;
  /** What else the client takes: `username`, `password`, `credentialsProvider`, … It never reconnects by itself. */
  readonly client?: Omit<RedisClientOptions, "url" | "RESP" | "disableOfflineQueue">;
}

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
export function redisAdapter({ url, prefix = "sluice", client }: RedisAdapterOptions): Adapter {
  // The text may hold a password: it is not shown.
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw invalidOption("url", "something else", "redis://… or rediss://…");
  const make = (): Client => {
    const made = createClient({
      ...client,
      url,
      disableOfflineQueue: true,
      socket: { ...client?.socket, reconnectStrategy: false } as NonNullable<
        RedisClientOptions["socket"]
      >,
    }) as unknown as Client;
    // Errors reach whoever waits; without a listener they would end the program.
    return made.on("error", () => {});
  };
  return {
    kind: "redis",
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
