import pg, { type Client, type ClientConfig } from "pg";

/** Connects, unless the signal aborts, and leaves nothing behind then. */
export async function connectPostgres(
  connection: ClientConfig,
  signal: AbortSignal,
): Promise<Client> {
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
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
