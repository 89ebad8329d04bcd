import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** One address before several nodes: each connection goes to the next of them that takes it. */
export class Balancer implements AsyncDisposable {
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #open: Set<Socket>;

  private constructor(server: ReturnType<typeof createServer>, open: Set<Socket>) {
    this.#server = server;
    this.#open = open;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param urls of the nodes, which need not be there all the time */
  static async start(urls: readonly string[]): Promise<Balancer> {
    const ports = urls.map((url) => Number(new URL(url).port));
    const open = new Set<Socket>();
    let next = 0;
    const server = createServer({ allowHalfOpen: false }, (client) => {
      open.add(client);
      client.on("close", () => open.delete(client)).on("error", () => {});
      let tries = 0;
      const forward = (): void => {
        if (tries++ === ports.length) return void client.destroy();
        const node = connect(ports[next++ % ports.length]!, "127.0.0.1");
        node.once("error", forward);
        node.once("connect", () => {
          node.off("error", forward).on("error", () => client.destroy());
          client.on("close", () => node.destroy());
          client.pipe(node).pipe(client);
        });
      };
      forward();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Balancer(server, open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#open) client.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
