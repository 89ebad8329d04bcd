import type { ClientBase } from "pg";

/** What a server promises of what it has acknowledged. */
export interface PostgresPromise {
  /** Another one means that what was acknowledged may be missing. */
  readonly server: string;
  /** What whoever runs the program should know. */
  readonly warning: string | undefined;
}

/** Asks a server how durable it is, and has this connection's commits wait until they are. */
export async function promiseOf(
  client: ClientBase,
  trustRestarts: boolean | undefined,
): Promise<PostgresPromise> {
  if ((await setting(client, "synchronous_commit")) === "off")
    await client.query("SET synchronous_commit = on");
  const keeps = (await setting(client, "fsync")) === "on";
  const warning = keeps
    ? undefined
    : "postgres runs with `fsync=off`: when its machine fails, what it acknowledged is lost; after each of its restarts readers hear of a reset";
  // A server that was promoted, or restored from a backup, writes another timeline.
  const timeline = await one(client, "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)");
  if ((trustRestarts ?? keeps) && timeline !== undefined) return { server: timeline, warning };
  const started = await one(client, "pg_postmaster_start_time()::text");
  return { server: `${timeline ?? ""} ${started ?? ""}`, warning };
}

const setting = (client: ClientBase, name: string): Promise<string | undefined> =>
  one(client, `current_setting('${name}')`);

/** A value, or nothing where the server does not tell. */
async function one(client: ClientBase, expression: string): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ it: string }>(`SELECT ${expression} AS it`);
    return rows[0]?.it;
  } catch (error) {
    // Not permitted, or not there, says the server; everything else breaks the connection.
    if (/^(42|55|0A)/.test((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}
