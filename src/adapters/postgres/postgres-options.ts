import pg, { type ClientConfig } from "pg";
import { checkObject } from "../../process/internal.ts";
import { invalidOption, isLoopback } from "../../support/internal.ts";

/** How to reach Postgres: the same for the adapter and the log. */
export interface PostgresOptions {
  /** `postgres://[user[:password]@]host[:port]/database`. */
  readonly connectionString: string;
  /**
   * What all its channels, tables and functions begin with: who has one prefix and one database is together. At most 18
   * small letters, digits and `_`; default `"sluice"`.
   */
  readonly prefix?: string;
  /** What else the client takes: `password`, `ssl`, … */
  readonly client?: Omit<ClientConfig, "connectionString">;
}

/** A Postgres that can be reached. */
export interface PostgresTarget {
  /** What a new connection is made with. */
  readonly connection: ClientConfig;
  readonly prefix: string;
  readonly isLoopback: boolean;
}

export const postgresOptions: readonly string[] = ["connectionString", "prefix", "client"];

/** @throws SLUICE_INVALID_OPTION */
export function postgresTarget(options: PostgresOptions): PostgresTarget {
  const { connectionString, prefix = "sluice", client } = options;
  // The text may hold a password: it is not shown.
  if (
    typeof connectionString !== "string" ||
    !/^(postgres|postgresql|socket):/.test(connectionString)
  )
    throw invalidOption("connectionString", "something else", "postgres://…");
  if (typeof prefix !== "string" || !/^[a-z][a-z0-9_]{0,17}$/.test(prefix))
    throw invalidOption("prefix", prefix, "1 to 18 small letters, digits and _");
  if (client !== undefined) checkObject("client", client);
  const connection = {
    application_name: "sluice",
    keepAlive: true,
    ...client,
    connectionString,
  };
  // As the client reads all of it, and the environment; a path is a socket of this machine.
  const { host } = clientOf(connection);
  return { connection, prefix, isLoopback: host.startsWith("/") || isLoopback(host) };
}

function clientOf(connection: ClientConfig): pg.Client {
  try {
    return new pg.Client(connection);
  } catch {
    // Its error quotes the text.
    throw invalidOption("connectionString", "something else", "postgres://…");
  }
}
