import type { NodeConnectionOptions } from "@nats-io/transport-node";
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
  const list = typeof servers === "string" ? [servers] : [...(servers ?? [])];
  if (list.length === 0) throw invalidOption("servers", list, "at least one");
  // What may be a password is not shown.
  if (list.some((server) => server.includes("@")))
    throw invalidOption("servers", "one with an @", "host:port; who you are goes into client");
  if (typeof prefix !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(prefix) || prefix.length > 200)
    throw invalidOption("prefix", prefix, "a NATS subject of letters, digits, _ and -");
  return {
    connection: { name: "sluice", ...client, servers: list, reconnect: false },
    prefix,
    isLoopback: list.every((server) => isLoopback(hostOf(server))),
  };
}

function hostOf(server: string): string {
  const { hostname } = new URL(server.includes("://") ? server : `nats://${server}`);
  return hostname;
}
