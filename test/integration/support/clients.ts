// Clients of an endpoint for tests: the stock one, and one that sends any frame.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Socket, type Channel } from "phoenix";
import { WebSocket, type ClientOptions } from "ws";

/** What a client was told, in order. */
export interface Told {
  readonly event: string;
  readonly payload: unknown;
}

/** A joined channel of the stock client, and all events it got. */
export interface Joined {
  readonly channel: Channel;
  readonly reply: unknown;
  readonly told: Told[];
}

/** A connected stock client. */
export function stockClient(url: string, params: Record<string, string> = {}): Socket {
  const socket = new Socket(`${url.replace("http", "ws")}/socket`, { params, timeout: 5_000 });
  socket.connect();
  return socket;
}

/** Joins, and rejects with what the server said to a refusal. Reserved events of the protocol are left out of `told`. */
export function join(socket: Socket, topic: string, params: object = {}): Promise<Joined> {
  const channel = socket.channel(topic, params);
  const told: Told[] = [];
  channel.onMessage = (event: string, payload: unknown) => {
    if (!/^(phx_|chan_reply_)/.test(event)) told.push({ event, payload });
    return payload;
  };
  return new Promise((resolve, reject) => {
    channel
      .join()
      .receive("ok", (reply: unknown) => resolve({ channel, reply, told }))
      .receive("error", (reason: unknown) => {
        channel.leave();
        reject(Object.assign(new Error("refused"), { reason }));
      })
      .receive("timeout", () => reject(new Error("timeout")));
  });
}

/** Pushes an event; resolves with the status and the response. */
export function push(channel: Channel, event: string, payload: object = {}): Promise<unknown[]> {
  return new Promise((resolve) => {
    const sent = channel.push(event, payload, 5_000);
    for (const status of ["ok", "error", "timeout"] as const)
      sent.receive(status, (response: unknown) => resolve([status, response]));
  });
}

/** Resolves when a condition holds; rejects with its text after a time, which is for a machine that is busy unless told. */
export async function until(holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A message as it stands on the wire. */
export type Frame = readonly [unknown, unknown, string, string, unknown];

/** A WebSocket that sends what it is told to. */
export class RawClient implements AsyncDisposable {
  readonly frames: Frame[] = [];
  readonly ws: WebSocket;
  close: { readonly code: number; readonly reason: string } | undefined = undefined;

  constructor(url: string, options: ClientOptions = {}, query = "vsn=2.0.0") {
    this.ws = new WebSocket(`${url.replace("http", "ws")}/socket/websocket?${query}`, options);
    this.ws.on("message", (data: Buffer) => this.frames.push(JSON.parse(String(data)) as Frame));
    this.ws.on("close", (code, reason) => (this.close = { code, reason: String(reason) }));
    this.ws.on("error", () => {});
  }

  /** Resolves when it is open; rejects with the status of a refusal. */
  async opened(): Promise<this> {
    const refused = once(this.ws, "unexpected-response").then((refusal) => {
      const { statusCode } = refusal[1] as IncomingMessage;
      throw Object.assign(new Error(`refused: ${statusCode}`), { statusCode });
    });
    await Promise.race([once(this.ws, "open"), refused]);
    refused.catch(() => {});
    return this;
  }

  /** Sends a message as an array, or a text as it is. */
  send(frame: Frame | string): void {
    this.ws.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Resolves with the next frame that is not taken yet. */
  async next(): Promise<Frame> {
    await until(() => this.frames.length > 0 || this.close !== undefined);
    const frame = this.frames.shift();
    if (frame === undefined) throw new Error(`closed with ${this.close?.code}`);
    return frame;
  }

  /** Sends a message and resolves with the next frame. */
  ask(frame: Frame | string): Promise<Frame> {
    this.send(frame);
    return this.next();
  }

  /** Resolves with the code of the close. */
  async closed(): Promise<number> {
    await until(() => this.close !== undefined);
    return this.close!.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    if (this.ws.readyState !== WebSocket.CLOSED) await once(this.ws, "close");
  }
}

/** Opens a raw client. */
export function rawClient(
  url: string,
  options?: ClientOptions,
  query?: string,
): Promise<RawClient> {
  return new RawClient(url, options, query).opened();
}

/** Ends stock clients, and resolves when their connections are closed. */
export async function hangUp(...sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.disconnect(() => resolve()))),
  );
}
