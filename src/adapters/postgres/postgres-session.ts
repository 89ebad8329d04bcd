import pg, { type Client, type ClientConfig } from "pg";

/** One session of Postgres. It is asked one thing after the other: from its version 9 on `pg` takes no more at a time. */
export class PostgresSession {
  readonly #client: Client;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Connects, unless the signal aborts, and leaves nothing behind then. */
  static async connect(connection: ClientConfig, signal: AbortSignal): Promise<PostgresSession> {
    signal.throwIfAborted();
    const client = new pg.Client(connection);
    // Errors reach whoever waits; without a listener they would end the program.
    client.on("error", () => {});
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([client.connect(), aborted.promise]);
      signal.throwIfAborted();
      return new PostgresSession(client);
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Tells of what comes on the channels that it listens to. */
  heard(listener: (channel: string, text: string) => void): void {
    this.#client.on("notification", ({ channel, payload = "" }) => listener(channel, payload));
  }

  /** Tells of its end, perhaps more than once. */
  lost(listener: (reason: unknown) => void): void {
    for (const event of ["error", "end"] as const)
      this.#client.on(event, (reason?: unknown) =>
        listener(reason ?? new Error("the server has closed the connection")),
      );
  }

  /** Rejects when the server refuses it, or the session ends. */
  ask(statement: string, values?: readonly unknown[]): Promise<unknown> {
    const asked = this.#last.then(() => this.#client.query(statement, values as unknown[]));
    this.#last = asked.catch(() => {});
    return asked;
  }

  /** Ends it; what it has not answered is broken, and the line cut. */
  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
