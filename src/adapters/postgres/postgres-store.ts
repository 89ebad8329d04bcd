import { createHash } from "node:crypto";
import type { ClientConfig, PoolClient } from "pg";
import type { Runtime, System } from "../../runtime/internal.ts";
import type { LogBounds, Position, Read } from "../../store/index.ts";
import { type Ears, type LogStore, newEpoch, type Question } from "../../store/internal.ts";
import { log } from "../../telemetry/internal.ts";
import { PostgresEars } from "./postgres-ears.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { promiseOf } from "./postgres-promise.ts";
import { schema } from "./postgres-schema.ts";

/** What no longer fits stays so long for tails that are about to read it. */
const slackMs = 10_000;

/** What a {@link PostgresStore} works with. */
export interface PostgresStoreOptions extends Required<LogBounds> {
  readonly connection: ClientConfig;
  readonly table: string;
  readonly maxTopics: number;
  readonly forgetMs: number;
  readonly trustRestarts: boolean | undefined;
  readonly timeoutMs: number;
}

/** Topics as rows of tables, written by a function that keeps the offsets dense; a notification says that there is more. */
export class PostgresStore implements LogStore {
  readonly name = "postgres";
  readonly maxBatchBytes: number = 2 ** 20;
  readonly #options: PostgresStoreOptions;
  readonly #runtime: Runtime;
  readonly #pool: PostgresPool;
  readonly #ears: PostgresEars;
  #made = false;
  #warned = false;

  constructor(options: PostgresStoreOptions, system: System) {
    const { connection, timeoutMs } = options;
    this.#options = options;
    const { runtime } = system;
    this.#runtime = runtime;
    const prepare = (client: PoolClient): Promise<void> => this.#prepare(client);
    this.#pool = new PostgresPool({ connection, runtime, timeoutMs, prepare });
    this.#ears = new PostgresEars(connection, system);
  }

  async append(topic: string, texts: readonly string[], signal: AbortSignal): Promise<Position> {
    const { table, count, bytes, ageMs, maxTopics, forgetMs } = this.#options;
    const [row] = await this.#call<{ epoch: string; last: string }>(
      `SELECT * FROM ${table}_append_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        ...[key(topic), newEpoch(this.#runtime), texts, count, whole(bytes), interval(ageMs)],
        ...[interval(slackMs), maxTopics, interval(forgetMs)],
      ],
      signal,
    );
    return { epoch: row!.epoch, offset: Number(row!.last) };
  }

  async read({ topic, start, limit, live, signal }: Question): Promise<Read<unknown>> {
    const { table, count, bytes, ageMs } = this.#options;
    const [epoch, offset] = "after" in start ? [start.after.epoch, start.after.offset] : [null, 0];
    interface Row {
      readonly status: Read<unknown>["status"];
      readonly epoch: string;
      readonly ending: string;
      readonly entries: string | null;
    }
    const [row] = await this.#call<Row>(
      `SELECT * FROM ${table}_read_v1($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        ...[key(topic), epoch === null ? null : key(epoch), offset, limit, live],
        ...[count, whole(bytes), interval(ageMs)],
      ],
      signal,
    );
    const { status, entries, ending } = row!;
    const position = { epoch: row!.epoch, offset: Number(ending) };
    return { status, entries: JSON.parse(`[${entries ?? ""}]`) as unknown[], position };
  }

  async drop(topic: string, signal: AbortSignal): Promise<void> {
    const { table } = this.#options;
    await this.#call(
      `SELECT ${table}_drop_v1($1, $2)`,
      [key(topic), newEpoch(this.#runtime)],
      signal,
    );
  }

  follow(topic: string, ears: Ears): Disposable {
    const hash = createHash("md5").update(key(topic)).digest("hex");
    return this.#ears.follow(`${this.#options.table}_${hash}`, ears);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#ears.close()]);
  }

  async #call<R>(text: string, values: unknown[], signal: AbortSignal): Promise<R[]> {
    return this.#pool.use(signal, async (client) => (await client.query(text, values)).rows as R[]);
  }

  /** Makes the tables where there are none; a new server that may lack what the one before acknowledged ends all lives. */
  async #prepare(client: PoolClient): Promise<void> {
    const { table, trustRestarts } = this.#options;
    const { server, warning } = await promiseOf(client, trustRestarts);
    if (warning !== undefined && !this.#warned) log("warning", warning);
    this.#warned = true;
    const fresh = newEpoch(this.#runtime);
    if (!this.#made) await this.#make(client, fresh, server);
    this.#made = true;
    await client.query(`UPDATE ${table} SET generation = $1, server = $2 WHERE server <> $2`, [
      fresh,
      server,
    ]);
  }

  async #make(client: PoolClient, fresh: string, server: string): Promise<void> {
    const { table } = this.#options;
    const { rows } = await client.query<{ made: boolean }>(
      "SELECT to_regproc($1) IS NOT NULL AS made",
      [`${table}_read_v1`],
    );
    if (rows[0]?.made === true) return;
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(19539, hashtext($1))", [table]);
    await client.query(schema(table));
    await client.query(
      `INSERT INTO ${table} (generation, unborn, server) VALUES ($1, $1, $2) ON CONFLICT DO NOTHING`,
      [fresh, server],
    );
    await client.query("COMMIT");
  }
}

/** A bound that the server can hold. */
const whole = (bound: number): number => Math.min(bound, Number.MAX_SAFE_INTEGER);

const interval = (ms: number): string | null => (ms === Infinity ? null : `${ms} milliseconds`);

/** A text as the server can hold it: it has no NUL. */
const key = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\0", "\\0");
