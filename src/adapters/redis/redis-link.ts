import { createClient, type RedisClientOptions, type RedisClientType } from "redis";
import { KeptConnection, type ConnectionLife, type Keeper } from "../../process/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { Outage, serverKeep } from "../../store/internal.ts";

/** A connection of the `redis` package. */
export type RedisClient = RedisClientType;

/** What a {@link RedisLink} works with. */
export interface RedisLinkOptions {
  readonly connection: RedisClientOptions;
  readonly system: System;
  /** Makes ready a new connection; what it rejects with breaks that. */
  readonly up: (client: RedisClient) => Promise<void>;
  readonly down?: () => void;
}

/** A connection that comes back by itself. Nothing waits in it for the one after it; outages are reported. */
export class RedisLink implements Keeper<RedisClient> {
  readonly #options: RedisLinkOptions;
  readonly #outage: Outage;
  readonly #kept: KeptConnection<RedisClient>;

  constructor(options: RedisLinkOptions) {
    const { system } = options;
    this.#options = options;
    this.#outage = new Outage("redis", system.runtime);
    this.#kept = new KeptConnection(system, serverKeep, this);
    this.#kept.begin();
  }

  /** The connection that is up; waits for it until the signal aborts. */
  client(signal: AbortSignal): Promise<RedisClient> {
    return this.#kept.connection(signal);
  }

  /** Sends a command; one whose signal aborts has found a connection on which nothing comes back. */
  async command(args: () => string[], signal: AbortSignal): Promise<unknown> {
    const client = await this.client(signal);
    const broken = (): void => this.#kept.lose(client, new Error("it does not answer"));
    signal.addEventListener("abort", broken, { once: true });
    try {
      return await client.sendCommand(args());
    } finally {
      signal.removeEventListener("abort", broken);
    }
  }

  close(): void {
    this.#kept.close()?.destroy();
  }

  async connect(life: ConnectionLife, signal: AbortSignal): Promise<RedisClient> {
    const client = createClient(this.#options.connection) as unknown as RedisClient;
    for (const event of ["error", "end"] as const)
      client.on(event, (reason?: unknown) =>
        life.lost(reason ?? new Error("the server has closed the connection")),
      );
    const letGo = (): void => client.destroy();
    signal.addEventListener("abort", letGo, { once: true });
    try {
      await client.connect();
      return client;
    } finally {
      signal.removeEventListener("abort", letGo);
    }
  }

  abort(client: RedisClient): void {
    client.destroy();
  }

  async restore(client: RedisClient): Promise<void> {
    // A server that still reads its data refuses this.
    await client.ping();
    await this.#options.up(client);
  }

  up(): void {
    this.#outage.end();
  }

  down(reason: unknown, wasUp: boolean): void {
    if (wasUp) this.#options.down?.();
    this.#outage.begin(reason);
  }

  beat(client: RedisClient): void {
    client.ping().then(
      () => this.#kept.heard(),
      () => {},
    );
  }
}
