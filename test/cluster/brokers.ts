import { natsAdapter } from "sluice/nats";
import { postgresAdapter } from "sluice/postgres";
import type { Adapter } from "sluice/pubsub";
import { redisAdapter } from "sluice/redis";

/** The brokers that nodes can stand on. */
export const brokers = ["nats", "redis", "postgres"] as const;
export type Broker = (typeof brokers)[number];

/** What the nodes of tests sign with. */
export const secrets: readonly string[] = ["only-for-tests-0123456789-abcdefghij"];

/** An adapter to a broker at a URL; nodes of one prefix hear each other. */
export function adapterTo(broker: Broker, url: string, prefix: string): Adapter {
  switch (broker) {
    case "nats":
      return natsAdapter({ servers: new URL(url).host, prefix });
    case "redis":
      return redisAdapter({ url, prefix });
    case "postgres":
      return postgresAdapter({ connectionString: url, prefix });
    default:
      return broker satisfies never;
  }
}
