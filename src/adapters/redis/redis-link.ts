import { createClient, type RedisClientType } from "redis";
import type { Runtime } from "../../runtime/internal.ts";
import { log } from "../../telemetry/internal.ts";

/** A silent connection is asked whether it lives so often, and given up after three times that. */
const pingMs = 2_000;

/** A connection of the `redis` package. */
export type RedisClient = RedisClientType;

/** What a {@link RedisLink} works with. */
export interface RedisLinkOptions {
  readonly url: string;
  readonly runtime: Runtime;
  /** Makes ready a new connection; what it rejects with breaks that. */
  readonly up: (client: RedisClient) => Promise<void>;
  readonly down?: () => void;
}

/** A connection that comes back by itself. Nothing waits in it for the one after it; outages are reported. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #waiting: Set<() => void> = new Set();
  #client: RedisClient;
  #up = false;
  #attempt = 0;
  #downSinceMs: number;
  #reported = false;
  #closed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#downSinceMs = options.runtime.now();
    this.#client = this.#open();
  }

  /** The connection that is up; waits for it until the signal aborts. */
  async client(signal: AbortSignal): Promise<RedisClient> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#up && this.#client.isReady) return this.#client;
      if (this.#closed) throw new Error("closed");
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  /** Sends a command; one whose signal aborts has found a connection on which nothing comes back. */
  async command(args: () => string[], signal: AbortSignal): Promise<unknown> {
    const client = await this.client(signal);
    const broken = (): void => this.#renew(client);
    signal.addEventListener("abort", broken, { once: true });
    try {
      return await client.sendCommand(args());
    } finally {
      signal.removeEventListener("abort", broken);
    }
  }

  /** Hears a channel no longer. */
  unsubscribe(channel: string): void {
    if (this.#client.isReady) this.#client.unsubscribe(channel).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    this.#client.destroy();
    this.#wake();
  }

  #open(): RedisClient {
    const { url, runtime } = this.#options;
    const client: RedisClient = createClient({
      url,
      disableOfflineQueue: true,
      pingInterval: pingMs,
      socket: {
        connectTimeout: 3 * pingMs,
        socketTimeout: 3 * pingMs,
        reconnectStrategy: (retries) =>
          Math.min(20 * 2 ** Math.min(retries, 10), 2_000) * (0.5 + runtime.random() / 2),
      },
    });
    client.on("error", (error: unknown) => this.#down(client, error));
    client.on("reconnecting", () => this.#down(client, undefined));
    client.on("ready", () => void this.#ready(client));
    client.connect().catch((error: unknown) => this.#down(client, error));
    return client;
  }

  /** Begins anew with a connection that says nothing. */
  #renew(client: RedisClient): void {
    if (this.#closed || client !== this.#client) return;
    this.#down(client, new Error("it does not answer"));
    this.#client = this.#open();
    if (client.isOpen) client.destroy();
  }

  async #ready(client: RedisClient): Promise<void> {
    const attempt = ++this.#attempt;
    const current = (): boolean => attempt === this.#attempt && client === this.#client;
    const { runtime, up } = this.#options;
    try {
      await loaded(client, runtime);
      await up(client);
    } catch (error) {
      if (current()) runtime.alarm(200, () => current() && this.#renew(client));
      return this.#down(client, error);
    }
    if (!current() || !client.isReady || this.#closed) return;
    this.#up = true;
    if (this.#reported) {
      const ms = Math.round(runtime.now() - this.#downSinceMs);
      log("info", `redis is reached again, after ${ms} ms`);
    }
    this.#reported = false;
    this.#wake();
  }

  #down(client: RedisClient, error: unknown): void {
    if (client !== this.#client || this.#closed) return;
    if (this.#up) {
      this.#up = false;
      this.#downSinceMs = this.#options.runtime.now();
      this.#options.down?.();
    }
    if (this.#reported || error === undefined) return;
    this.#reported = true;
    log("warning", "redis is not reached; it is tried until it is", error);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** Waits until the server has read its data. */
async function loaded(client: RedisClient, runtime: Runtime): Promise<void> {
  for (;;) {
    try {
      return void (await client.ping());
    } catch (error) {
      if (!String(error).includes("LOADING")) throw error;
      await new Promise<void>((resolve) => void runtime.alarm(50, resolve));
    }
  }
}
