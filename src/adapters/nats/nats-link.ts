import {
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import type { Alarm, Runtime } from "../../runtime/internal.ts";
import { log } from "../../telemetry/internal.ts";

/** A silent connection is asked whether it lives so often, and given up when three questions have no answer. */
const pingMs = 2_000;

/** A connection, and JetStream on it. */
export interface Session {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
}

/** What else the client takes. */
export type NatsClientOptions = Omit<NodeConnectionOptions, "servers" | "reconnect" | "noEcho">;

/** What a {@link NatsLink} works with. */
export interface NatsLinkOptions {
  readonly servers: readonly string[];
  readonly client: NatsClientOptions | undefined;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** Makes ready a connection that is there, or is there again; what it rejects with is tried again. */
  readonly up: (session: Session) => Promise<void>;
  readonly down: () => void;
}

/** A connection that comes back by itself; outages are reported. */
export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #waiting: Set<() => void> = new Set();
  #session: Session | undefined = undefined;
  #up = false;
  #attempt = 0;
  #downSinceMs: number;
  #reported = false;
  #closed = false;
  #alarm: { readonly alarm: Alarm; readonly resolve: () => void } | undefined = undefined;
  readonly #ended: Promise<void>;

  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#downSinceMs = options.runtime.now();
    this.#ended = this.#run();
  }

  /** The session that is up; waits for it until the signal aborts. */
  async session(signal: AbortSignal): Promise<Session> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#up && this.#session !== undefined) return this.#session;
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

  /** The connection, even while it is made ready. */
  get connection(): NatsConnection | undefined {
    return this.#session?.connection;
  }

  /** Makes ready again: something is not as it was. */
  renew(why: unknown): void {
    if (!this.#up) return;
    this.#down(why);
    void this.#prepare();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#up = false;
    this.#attempt++;
    this.#alarm?.alarm.cancel();
    this.#alarm?.resolve();
    for (const wake of this.#waiting) wake();
    await this.#session?.connection.close().catch(() => {});
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { servers, client, timeoutMs, runtime } = this.#options;
    for (let failures = 0; !this.#closed; failures++) {
      try {
        const connection = await connect({
          name: "sluice",
          pingInterval: pingMs,
          maxPingOut: 3,
          timeout: timeoutMs,
          ...client,
          servers: [...servers],
          maxReconnectAttempts: -1,
          reconnectDelayHandler: () => 50 + 200 * runtime.random(),
        });
        failures = 0;
        if (this.#closed) return await connection.close();
        const jsm = await jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs });
        const js = jetstream(connection, { timeout: timeoutMs });
        this.#session = { connection, js, jsm };
        void this.#prepare();
        await this.#watch(connection);
        this.#down((await connection.closed()) ?? new Error("the connection is closed"));
      } catch (error) {
        this.#down(error);
      }
      this.#session = undefined;
      await this.#pause(Math.min(50 * 2 ** failures, 2_000));
    }
  }

  /** Hears of outages, until the connection ends for good. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection")
        this.#down(new Error("the connection broke"));
      else if (status.type === "reconnect") void this.#prepare();
    }
  }

  async #prepare(): Promise<void> {
    const attempt = ++this.#attempt;
    const session = this.#session;
    const { runtime, up } = this.#options;
    while (attempt === this.#attempt && session !== undefined) {
      try {
        await up(session);
        break;
      } catch (error) {
        if (attempt !== this.#attempt) return;
        this.#down(error);
        await this.#pause(100);
      }
    }
    if (attempt !== this.#attempt || this.#closed) return;
    this.#up = true;
    if (this.#reported) {
      const ms = Math.round(runtime.now() - this.#downSinceMs);
      log("info", `nats is reached again, after ${ms} ms`);
    }
    this.#reported = false;
    for (const wake of this.#waiting) wake();
  }

  #down(why: unknown): void {
    if (this.#closed) return;
    if (this.#up) {
      this.#up = false;
      this.#downSinceMs = this.#options.runtime.now();
      this.#options.down();
    }
    if (this.#reported) return;
    this.#reported = true;
    log("warning", "nats is not reached; it is tried until it is", why);
  }

  #pause(ms: number): Promise<void> {
    const { runtime } = this.#options;
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const alarm = runtime.alarm(ms * (0.5 + runtime.random() / 2), resolve);
      this.#alarm = { alarm, resolve };
    });
  }
}
