import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A line between clients and a server that can be slow, and be cut. */
export interface TcpProxy extends AsyncDisposable {
  /** Where clients connect in place of the server. */
  readonly url: string;
  /** Connections made so far. */
  readonly connections: number;
  /** Nobody gets through: who connects is cut off at once. */
  isDown: boolean;
  /** From now on nothing passes on the connections there are, and neither side is told. */
  swallow(): void;
  /** Destroys every connection, on both sides, or those that are chosen. */
  cut(chosen?: () => boolean): void;
}

/** Passes bytes on; what comes from the server reaches the client `delayMs` late. */
export async function startTcpProxy(serverUrl: string, delayMs = 0): Promise<TcpProxy> {
  const { hostname, port } = new URL(serverUrl);
  const open = new Set<Socket>();
  let connections = 0;
  let isDown = false;
  const server = createServer((client) => {
    connections++;
    if (isDown) return client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.pipe(upstream);
    if (delayMs === 0) upstream.pipe(client);
    else upstream.on("data", (bytes) => setTimeout(() => client.write(bytes), delayMs));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (chosen = (): boolean => true): void => {
    for (const socket of open) if (chosen()) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get isDown() {
      return isDown;
    },
    set isDown(down) {
      isDown = down;
    },
    cut,
    swallow() {
      for (const socket of open) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
