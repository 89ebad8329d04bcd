import type { RedisClientOptions } from "redis";
import { checkObject } from "../../process/internal.ts";
import { invalidOption, isLoopback } from "../../support/internal.ts";

/** How to reach Redis: the same for the adapter and the log. */
export interface RedisOptions {
  /** `redis[s]://[user[:password]@]host[:port][/database]`; channels know no database. */
  readonly url: string;
  /** What all its keys and channels begin with: who has one prefix is together. Default `"sluice"`. */
  readonly prefix?: string;
  /** What else the client takes: `username`, `password`, `credentialsProvider`, … It never reconnects by itself. */
  readonly client?: Omit<RedisClientOptions, "url" | "RESP" | "disableOfflineQueue">;
}

/** A Redis that can be reached. */
export interface RedisTarget {
  /** What a new connection is made with. */
  readonly connection: RedisClientOptions;
  readonly prefix: string;
  readonly isLoopback: boolean;
}

export const redisOptions: readonly string[] = ["url", "prefix", "client"];

/** @throws SLUICE_INVALID_OPTION */
export function redisTarget({ url, prefix = "sluice", client }: RedisOptions): RedisTarget {
  // The text may hold a password: it is not shown.
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw invalidOption("url", "something else", "redis://… or rediss://…");
  if (typeof prefix !== "string" || !/^[^{}]+$/.test(prefix))
    throw invalidOption("prefix", prefix, "a text without braces that is not empty");
  if (client !== undefined) checkObject("client", client);
  if (client?.socket !== undefined) checkObject("client.socket", client.socket);
  const socket = { ...client?.socket, reconnectStrategy: false } as NonNullable<
    RedisClientOptions["socket"]
  >;
  return {
    connection: { ...client, url, disableOfflineQueue: true, socket },
    prefix,
    isLoopback: isLoopback(new URL(url).hostname),
  };
}
