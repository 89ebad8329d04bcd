import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A line to a server that counts what comes, and can be late with what is said: also when nobody is there any more who said it. */
export class HeldLine implements AsyncDisposable {
  /** Bytes that the server has said. */
  heard = 0;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  /** Our ends of connections that are held. */
  readonly #behind: Set<Socket> = new Set();
  #held: (() => void)[] | undefined = undefined;

  private constructor(port: number) {
    this.#server = createServer((near) => this.#join(near, connect(port, "127.0.0.1")));
  }

  static async to(url: string): Promise<HeldLine> {
    const line = new HeldLine(Number(new URL(url).port));
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  /** The address of a server, behind this line. */
  through(url: string): string {
    const there = new URL(url);
    there.port = String((this.#server.address() as AddressInfo).port);
    return there.href;
  }

  /** What is said on the connections that there are is on its way, and comes when it is let go. */
  hold(): void {
    this.#held = [];
  }

  /** What was held comes; resolves when the server has heard all of it, and its ends. */
  async letGo(): Promise<void> {
    const ends = Array.from(this.#behind, closed);
    for (const say of this.#held?.splice(0) ?? []) say();
    this.#held = undefined;
    await Promise.all(ends);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket): void {
    // One that begins while others are held is another way to the server.
    const isHeld = this.#held === undefined;
    for (const socket of [near, far]) this.#sockets.add(socket.on("error", () => {}).setNoDelay());
    far.on("data", (data: Buffer) => {
      this.heard += data.length;
      if (!near.destroyed) near.write(data);
    });
    far.on("close", () => near.destroy());
    const say = (what: () => void): void => {
      if (!isHeld || this.#held === undefined) return what();
      this.#behind.add(far);
      return void this.#held.push(what);
    };
    near.on("data", (data: Buffer) => say(() => void (far.destroyed || far.write(data))));
    near.on("close", () => say(() => far.end()));
  }
}

/** Also of one that ends with an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.on("close", () => resolve());
  });
}
