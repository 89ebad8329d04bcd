import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { checkObject } from "../../process/internal.ts";
import { invalidOption, isLoopback } from "../../support/internal.ts";

/** How to reach NATS: the same for the adapter and the log. */
export interface NatsOptions {
  /** The servers of one cluster, `"host:port"` each; any of them will do. */
  readonly servers: string | readonly string[];
  /** What all its subjects begin with: who has one prefix is together. Default `"sluice"`. */
  readonly prefix?: string;
  /** What else the client takes: `user`, `pass`, `token`, `authenticator`, `tls`, … It never reconnects by itself. */
  readonly client?: Omit<NodeConnectionOptions, "servers" | "reconnect" | "noEcho">;
}

/** A NATS that can be reached. */
export interface NatsTarget {
  /** What a new connection is made with. */
  readonly connection: NodeConnectionOptions;
  readonly prefix: string;
  readonly isLoopback: boolean;
}

export const natsOptions: readonly string[] = ["servers", "prefix", "client"];

/** @throws SLUICE_INVALID_OPTION */
export function natsTarget({ servers, prefix = "sluice", client }: NatsOptions): NatsTarget {
  const list: unknown = typeof servers === "string" ? [servers] : servers;
  if (!isTexts(list))
    throw invalidOption("servers", servers, "host:port, or a list of at least one");
  // What may be a password is not shown.
  if (list.some((server) => server.includes("@")))
    throw invalidOption("servers", "one with an @", "host:port; who you are goes into client");
  for (const server of list)
    if (!URL.canParse(urlOf(server))) throw invalidOption("servers", "something else", "host:port");
  if (client !== undefined) checkObject("client", client);
  if (typeof prefix !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(prefix) || prefix.length > 200)
    throw invalidOption("prefix", prefix, "a NATS subject of letters, digits, _ and -");
  return {
    connection: { name: "sluice", ...client, servers: [...list], reconnect: false },
    prefix,
    isLoopback: list.every((server) => isLoopback(new URL(urlOf(server)).hostname)),
  };
}

function isTexts(list: unknown): list is readonly string[] {
  return (
    Array.isArray(list) && list.length > 0 && list.every((one: unknown) => typeof one === "string")
  );
}

function urlOf(server: string): string {
  return server.includes("://") ? server : `nats://${server}`;
}
