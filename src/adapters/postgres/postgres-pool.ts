import { Pool, type PoolClient } from "pg";
import type { Runtime } from "../../runtime/internal.ts";
import { log } from "../../telemetry/internal.ts";

/** So many connections at most, beside the one that listens. */
const maxConnections = 4;

/** What a {@link PostgresPool} works with. */
export interface PostgresPoolOptions {
  readonly connectionString: string;
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
  #downSinceMs: number | undefined = undefined;

  constructor(options: PostgresPoolOptions) {
    const { connectionString, timeoutMs } = options;
    this.#options = options;
    this.#pool = new Pool({
      connectionString,
      max: maxConnections,
      connectionTimeoutMillis: timeoutMs,
      // What was given up here ends there, too.
      statement_timeout: timeoutMs,
      keepAlive: true,
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
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      let client: PoolClient | undefined;
      try {
        client = await this.#connect(signal);
        if (!this.#prepared.has(client)) await within(signal, prepare(client));
        this.#prepared.add(client);
        this.#up();
        return client;
      } catch (error) {
        client?.release(true);
        signal.throwIfAborted();
        this.#down(error);
        await pause(runtime, Math.min(20 * 2 ** failures, 1_000) * (0.5 + runtime.random() / 2));
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

  #up(): void {
    if (this.#downSinceMs === undefined) return;
    const ms = Math.round(this.#options.runtime.now() - this.#downSinceMs);
    this.#downSinceMs = undefined;
    log("info", `postgres is reached again, after ${ms} ms`);
  }

  #down(error: unknown): void {
    if (this.#downSinceMs !== undefined) return;
    this.#downSinceMs = this.#options.runtime.now();
    log("warning", "postgres is not reached; it is tried until it is", error);
  }
}

/** Whether the server answered, and goes on. */
function isReply(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|XX)/.test(code);
}

function pause(runtime: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => void runtime.alarm(ms, resolve));
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
