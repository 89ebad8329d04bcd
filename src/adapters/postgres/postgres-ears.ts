import { Client } from "pg";
import type { Alarm, Runtime } from "../../runtime/internal.ts";
import type { Ears } from "../../store/internal.ts";
import { log } from "../../telemetry/internal.ts";

/** A silent connection is asked whether it lives so often, and given up when it has not answered by the next time. */
const pingMs = 2_000;

interface Heard {
  readonly ears: Ears;
  held: boolean;
}

/** The connection that listens, to any number of channels; it comes back by itself. */
export class PostgresEars {
  readonly #connectionString: string;
  readonly #runtime: Runtime;
  readonly #channels: Map<string, Heard> = new Map();
  #client: Client | undefined = undefined;
  #connected = false;
  #failures = 0;
  #alarm: Alarm | undefined = undefined;
  #closed = false;

  constructor(connectionString: string, runtime: Runtime) {
    this.#connectionString = connectionString;
    this.#runtime = runtime;
  }

  follow(channel: string, ears: Ears): Disposable {
    const heard: Heard = { ears, held: false };
    this.#channels.set(channel, heard);
    if (this.#client === undefined && this.#alarm === undefined) this.#connect();
    else if (this.#connected) void this.#listen(this.#client, channel, heard);
    return {
      [Symbol.dispose]: () => {
        if (this.#channels.get(channel) !== heard) return;
        this.#channels.delete(channel);
        if (this.#connected) this.#client?.query(`UNLISTEN "${channel}"`).catch(() => {});
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#channels.clear();
    this.#alarm?.cancel();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  #connect(): void {
    this.#alarm = undefined;
    const client = new Client({
      connectionString: this.#connectionString,
      connectionTimeoutMillis: 3 * pingMs,
      keepAlive: true,
    });
    this.#client = client;
    client.on("error", () => this.#lose(client));
    client.on("end", () => this.#lose(client));
    client.on("notification", ({ channel }) => this.#channels.get(channel)?.ears.hear());
    client.connect().then(
      () => this.#begin(client),
      (error: unknown) => this.#lose(client, error),
    );
  }

  #begin(client: Client): void {
    if (client !== this.#client) return;
    this.#connected = true;
    this.#failures = 0;
    for (const [channel, heard] of this.#channels) void this.#listen(client, channel, heard);
    this.#watch(client);
  }

  async #listen(client: Client | undefined, channel: string, heard: Heard): Promise<void> {
    if (client === undefined) return;
    try {
      await client.query(`LISTEN "${channel}"`);
    } catch (error) {
      return this.#lose(client, error);
    }
    if (client !== this.#client || this.#channels.get(channel) !== heard) return;
    heard.held = true;
    heard.ears.held();
  }

  /** Asks again and again whether it lives. */
  #watch(client: Client): void {
    let answered = true;
    const ask = (): void => {
      if (client !== this.#client) return;
      if (!answered) return this.#lose(client);
      answered = false;
      client.query("SELECT 1").then(
        () => (answered = true),
        () => this.#lose(client),
      );
      this.#alarm = this.#runtime.alarm(pingMs, ask);
    };
    ask();
  }

  #lose(client: Client, why?: unknown): void {
    if (client !== this.#client || this.#closed) return;
    this.#client = undefined;
    this.#connected = false;
    this.#alarm?.cancel();
    for (const heard of this.#channels.values()) {
      if (heard.held) heard.ears.lost();
      heard.held = false;
    }
    // Also one that says nothing: what it was asked breaks it.
    client.end().catch(() => {});
    // An outage is told by those who ask; that nobody can listen, by nobody else.
    if (++this.#failures === 5)
      log(
        "warning",
        "postgres cannot be listened to; it is tried until it can, and tails wait",
        why,
      );
    const ms = Math.min(25 * 2 ** this.#failures, 2_000) * (0.5 + this.#runtime.random() / 2);
    this.#alarm = this.#runtime.alarm(ms, () => this.#connect());
  }
}
