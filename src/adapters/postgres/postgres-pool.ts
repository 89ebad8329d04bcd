import { type ClientConfig, Pool, type PoolClient } from "pg";
import type { Runtime } from "../../runtime/internal.ts";
import { Waits } from "../../process/internal.ts";
import { Outage, serverKeep } from "../../store/internal.ts";
import { log } from "../../telemetry/internal.ts";

/** So many connections at most, beside the one that listens. */
const maxConnections = 4;
/** A session that is told to end is gone after so long, if it is not at work. */
const endingMs = 5;

/** What a {@link PostgresPool} works with. */
export interface PostgresPoolOptions {
  readonly connection: ClientConfig;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** Makes ready a new connection; what it rejects with ends that. */
  readonly prepare: (client: PoolClient) => Promise<void>;
}

/** A session as the server knows it; it has no other with the same two. */
interface Session {
  readonly pid: number;
  readonly began: string;
}

/** Connections that are made when they are needed; outages are reported. */
export class PostgresPool {
  readonly #options: PostgresPoolOptions;
  readonly #pool: Pool;
  readonly #prepared: WeakMap<PoolClient, Session | undefined> = new WeakMap();
  /** Those that were given up with a question on its way. */
  readonly #givenUp: Set<Session> = new Set();
  readonly #outage: Outage;
  #isToldOfRight = false;

  constructor(options: PostgresPoolOptions) {
    const { connection, timeoutMs } = options;
    this.#options = options;
    this.#outage = new Outage("postgres", options.runtime);
    this.#pool = new Pool({
      ...connection,
      max: maxConnections,
      connectionTimeoutMillis: timeoutMs,
      // What was given up here ends there, too.
      statement_timeout: timeoutMs,
      keepAliveInitialDelayMillis: 5_000,
    });
    // Of a connection that is idle; the next one is made when it is needed. What is asked on one that ends, rejects.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => void client.on("error", () => {}));
  }

  /** Works with a connection; waits for one until the signal aborts, and then gives up that which it works with. */
  async use<R>(signal: AbortSignal, work: (client: PoolClient) => Promise<R>): Promise<R> {
    const client = await this.#client(signal);
    let broken = false;
    const giveUp = (): void => {
      broken = true;
      this.#giveUp(client);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const result = await work(client);
      if (!broken) client.release();
      return result;
    } catch (error) {
      // The server said why: the connection is good for more.
      if (!broken && isReply(error)) client.release();
      else if (!broken) this.#giveUp(client);
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
      broken = true;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #client(signal: AbortSignal): Promise<PoolClient> {
    const { runtime, prepare } = this.#options;
    const waits = new Waits(serverKeep.reconnectDelayMs);
    for (;;) {
      signal.throwIfAborted();
      let client: PoolClient | undefined;
      try {
        client = await this.#connect(signal);
        if (!this.#prepared.has(client)) {
          await within(signal, prepare(client));
          this.#prepared.set(client, await within(signal, sessionOf(client)));
        }
        while (this.#givenUp.size > 0) await within(signal, this.#endGivenUp(client));
        this.#outage.end();
        return client;
      } catch (error) {
        client?.release(true);
        signal.throwIfAborted();
        this.#outage.begin(error);
        const ms = waits.next(() => runtime.random());
        await new Promise<void>((resolve) => void runtime.alarm(ms, resolve));
      }
    }
  }

  #giveUp(client: PoolClient): void {
    const session = this.#prepared.get(client);
    if (session !== undefined) this.#givenUp.add(session);
    client.release(true);
  }

  /** What they still bring, when their lines are late, would come behind what is asked from now on. */
  async #endGivenUp(client: PoolClient): Promise<void> {
    const all = [...this.#givenUp];
    const left = new Set(
      await livingOf(client, all).catch((error: unknown) => this.#notLet(error)),
    );
    for (const session of all) if (!left.has(session.pid)) this.#givenUp.delete(session);
    if (left.size > 0)
      await new Promise<void>((resolve) => void this.#options.runtime.alarm(endingMs, resolve));
  }

  /** None can be ended: the log is of more use than this promise. */
  #notLet(error: unknown): number[] {
    if ((error as { readonly code?: unknown }).code !== notPermitted) throw error;
    if (!this.#isToldOfRight)
      log(
        "info",
        "postgres does not let its client end a session of its own: an append that was given up may come behind later ones",
      );
    this.#isToldOfRight = true;
    return [];
  }

  async #connect(signal: AbortSignal): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    try {
      return await within(signal, connecting);
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      throw error;
    }
  }
}

/** When a session began, whatever the settings of who asks. */
const began = "extract(epoch FROM backend_start)::text";

const notPermitted = "42501";

/** Those that have not ended yet; each is told to. */
async function livingOf(client: PoolClient, all: readonly Session[]): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
     JOIN unnest($1::int[], $2::text[]) AS given (pid, began) USING (pid) WHERE ${began} = given.began`,
    [all.map(({ pid }) => pid), all.map((session) => session.began)],
  );
  return rows.map(({ pid }) => pid);
}

async function sessionOf(client: PoolClient): Promise<Session | undefined> {
  const { rows } = await client.query<Session>(
    `SELECT pid, ${began} AS began FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
  );
  return rows[0];
}

/** Whether the server answered, and goes on. */
function isReply(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|XX)/.test(code);
}

/** What a promise gives, unless the signal aborts first. */
async function within<R>(signal: AbortSignal, promise: Promise<R>): Promise<R> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}
