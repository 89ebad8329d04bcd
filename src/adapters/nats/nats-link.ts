import {
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JetStreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { KeptConnection, type ConnectionLife, type Keeper } from "../../process/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { Outage, serverKeep } from "../../store/internal.ts";
import { connectNats } from "./nats-connect.ts";

/** A connection, and JetStream on it. */
export interface Session {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
}

/** What a {@link NatsLink} works with. */
export interface NatsLinkOptions {
  readonly connection: NodeConnectionOptions;
  readonly system: System;
  readonly timeoutMs: number;
  /** Makes ready a new connection; what it rejects with breaks that. */
  readonly up: (session: Session) => Promise<void>;
  readonly down: () => void;
}

/** A connection that comes back by itself; outages are reported. */
export class NatsLink implements Keeper<Session> {
  readonly #options: NatsLinkOptions;
  readonly #outage: Outage;
  readonly #kept: KeptConnection<Session>;

  constructor(options: NatsLinkOptions) {
    const { system } = options;
    this.#options = options;
    this.#outage = new Outage("nats", system.runtime);
    this.#kept = new KeptConnection(system, serverKeep, this);
    this.#kept.begin();
  }

  /** The session that is up; waits for it until the signal aborts. */
  session(signal: AbortSignal): Promise<Session> {
    return this.#kept.connection(signal);
  }

  /** The session, while it is up. */
  get current(): Session | undefined {
    return this.#kept.current;
  }

  /** Begins anew: something is not as it was. */
  renew(session: Session, why: unknown): void {
    this.#kept.lose(session, why);
  }

  async close(): Promise<void> {
    await this.#kept
      .close()
      ?.connection.close()
      .catch(() => {});
  }

  async connect(life: ConnectionLife, signal: AbortSignal): Promise<Session> {
    const { timeoutMs: timeout } = this.#options;
    const connection = await connectNats({ timeout, ...this.#options.connection }, signal);
    void connection.closed().then((why) => life.lost(why ?? new Error("the connection is closed")));
    const jsm = await jetstreamManager(connection, { checkAPI: false, timeout });
    return { connection, js: jetstream(connection, { timeout }), jsm };
  }

  abort({ connection }: Session): void {
    connection.close().catch(() => {});
  }

  restore(session: Session): Promise<void> {
    return this.#options.up(session);
  }

  up(): void {
    this.#outage.end();
  }

  down(reason: unknown, wasUp: boolean): void {
    if (wasUp) this.#options.down();
    this.#outage.begin(reason);
  }

  beat({ connection }: Session): void {
    connection.flush().then(
      () => this.#kept.heard(),
      () => {},
    );
  }
}
