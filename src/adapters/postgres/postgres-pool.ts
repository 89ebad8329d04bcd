import { type ClientConfig, Pool, type PoolClient } from "pg";
import type { Runtime } from "../../runtime/internal.ts";
import { Waits } from "../../process/internal.ts";
import { Outage, serverKeep } from "../../store/internal.ts";

/** So many connections at most, beside the one that listens. */
const maxConnections = 4;

/** What a {@link PostgresPool} works with. */
export interface PostgresPoolOptions {
  readonly connection: ClientConfig;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** Makes ready a new connection; what it rejects with ends that. */
  readonly prepare: (client: PoolClient) => Promise<void>;
}

/** Connections that are made when they are needed; outages are reported. */
export class PostgresPool {
  readonly #options: PostgresPoolOptions;
  readonly #pool: Pool;
  readonly #prepared: WeakSet<PoolClient> = new WeakSet();
  readonly #outage: Outage;

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
      client.release(true);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const result = await work(client);
      if (!broken) client.release();
      return result;
    } catch (error) {
      // The server said why: the connection is good for more.
      if (!broken) client.release(!isReply(error));
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
        if (!this.#prepared.has(client)) await within(signal, prepare(client));
        this.#prepared.add(client);
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
