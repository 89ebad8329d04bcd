import type { ClientConfig } from "pg";
import { KeptConnection, type ConnectionLife, type Keeper } from "../../process/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { type Ears, serverKeep } from "../../store/internal.ts";
import { log } from "../../telemetry/internal.ts";
import { PostgresSession } from "./postgres-session.ts";

interface Heard {
  readonly ears: Ears;
  held: boolean;
}

/** Statements in one question. */
const channelsAtOnce = 1_000;

/** The connection that listens, to any number of channels; it is made for the first, and comes back by itself. */
export class PostgresEars implements Keeper<PostgresSession> {
  readonly #connection: ClientConfig;
  readonly #channels: Map<string, Heard> = new Map();
  readonly #kept: KeptConnection<PostgresSession>;
  #isBegun = false;
  /** What is listened on, also while it is made ready. */
  #session: PostgresSession | undefined = undefined;
  #failures = 0;

  constructor(connection: ClientConfig, system: System) {
    this.#connection = connection;
    this.#kept = new KeptConnection(system, serverKeep, this);
  }

  follow(channel: string, ears: Ears): Disposable {
    const heard: Heard = { ears, held: false };
    this.#channels.set(channel, heard);
    const { current } = this.#kept;
    if (!this.#isBegun) this.#kept.begin();
    else if (current !== undefined) this.#listenOr(current, [[channel, heard]]);
    this.#isBegun = true;
    return {
      [Symbol.dispose]: () => {
        if (this.#channels.get(channel) !== heard) return;
        this.#channels.delete(channel);
        this.#kept.current?.ask(`UNLISTEN "${channel}"`).catch(() => {});
      },
    };
  }

  async close(): Promise<void> {
    this.#channels.clear();
    await this.#kept.close()?.end();
  }

  async connect(life: ConnectionLife, signal: AbortSignal): Promise<PostgresSession> {
    const session = await PostgresSession.connect(this.#connection, signal);
    session.lost((reason) => life.lost(reason));
    session.heard((channel) => this.#channels.get(channel)?.ears.hear());
    return session;
  }

  abort(session: PostgresSession): void {
    void session.end();
  }

  async restore(session: PostgresSession): Promise<void> {
    this.#session = session;
    await this.#listen(session, this.#unheld());
  }

  up(session: PostgresSession): void {
    this.#failures = 0;
    // What was followed meanwhile.
    this.#listenOr(session, this.#unheld());
  }

  down(reason: unknown): void {
    this.#session = undefined;
    for (const heard of this.#channels.values()) {
      if (heard.held) heard.ears.lost();
      heard.held = false;
    }
    // An outage is told by those who ask; that nobody can listen, by nobody else.
    if (++this.#failures === 5)
      log(
        "warning",
        "postgres cannot be listened to; it is tried until it can, and tails wait",
        reason,
      );
  }

  beat(session: PostgresSession): void {
    session.ask("SELECT 1").then(
      () => this.#kept.heard(),
      () => {},
    );
  }

  #unheld(): (readonly [string, Heard])[] {
    return [...this.#channels].filter(([, { held }]) => !held);
  }

  #listenOr(session: PostgresSession, channels: readonly (readonly [string, Heard])[]): void {
    this.#listen(session, channels).catch((error: unknown) => this.#kept.lose(session, error));
  }

  async #listen(
    session: PostgresSession,
    channels: readonly (readonly [string, Heard])[],
  ): Promise<void> {
    for (let first = 0; first < channels.length; first += channelsAtOnce) {
      const some = channels.slice(first, first + channelsAtOnce);
      await session.ask(some.map(([channel]) => `LISTEN "${channel}"`).join(";"));
      if (session !== this.#session) return;
      for (const [channel, heard] of some) {
        if (this.#channels.get(channel) !== heard || heard.held) continue;
        heard.held = true;
        heard.ears.held();
      }
    }
  }
}
