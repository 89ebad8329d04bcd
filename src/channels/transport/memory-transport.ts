import { currentSystem, type System } from "../../runtime/internal.ts";
import type { ConnectRequest } from "../admission/connect-checks.ts";
import type { RefusalStatus } from "./attempt.ts";
import { asBytes, readFrames, type CloseCode, type Frames } from "../wire/frame.ts";
import { memoryListenerFor, memoryListeners } from "./memory-listener.ts";
import type { Mount } from "../admission/mount.ts";
import { safeHeaders } from "./http-request.ts";
import type { Peer, Transport } from "./transport.ts";
import { PendingConnection, type Host } from "./pending-connection.ts";

/** What the server is told of whoever connects in memory. */
export interface MemoryTransportOptions {
  /** Headers of the request, their names in small letters; `host` is that of the URL unless said. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `"127.0.0.1"`. */
  readonly remoteAddress?: string;
}

/** What of a WebSocket the stock client uses, and a way to be slow. */
export interface MemorySocket {
  readyState: number;
  binaryType: string;
  readonly bufferedAmount: number;
  /** What the server answered when it did not let it in; a browser does not tell. */
  readonly refusal: RefusalStatus | undefined;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null;
  onerror: ((error: Error) => void) | null;
  onclose: ((event: CloseFacts) => void) | null;
  send(data: unknown): void;
  close(code?: number, reason?: string): void;
  /** Reads no more, as a suspended tab does. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** The line breaks: the server is not told why. */
  cut(): void;
}

/** Why a socket is closed, as a client is told. */
export interface CloseFacts {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** A transport for the stock client's `Socket`; `sockets` are those it made, for tests that are rough with them. */
export interface MemoryTransport {
  new (url: string, protocols?: unknown): MemorySocket;
  readonly sockets: readonly MemorySocket[];
}

const connecting = 0;
const open = 1;
const closing = 2;
const closed = 3;
/** What a line takes before its sender is to wait. */
const lineBytes = 64 * 1_024;
const abnormal: CloseFacts = { code: 1006, reason: "", wasClean: false };

/**
 * Connects to the endpoints of a system without a network, as the stock client's `transport`: the same checks, limits and
 * processes as over a WebSocket. Each step takes a turn of the system's Runtime, so that a simulation replays it.
 *
 * ```ts no-run
 * import { Socket } from "phoenix";
 * import { memoryTransport } from "sluice/testing";
 *
 * const transport = memoryTransport() as unknown as typeof WebSocket;
 * const socket = new Socket("ws://localhost:4000/socket", { transport });
 * socket.connect();
 * ```
 */
export function memoryTransport(
  system: System = currentSystem(),
  options: MemoryTransportOptions = {},
): MemoryTransport {
  const sockets: MemorySocket[] = [];
  return class MemoryWebSocket extends ClientEnd {
    static readonly sockets = sockets;
    constructor(url: string, protocols?: unknown) {
      super(system, withProtocols(options, protocols), new URL(url, "ws://localhost"));
      sockets.push(this);
    }
  };
}

/** The headers that a WebSocket with these sub-protocols is asked for with. */
function withProtocols(
  options: MemoryTransportOptions,
  protocols: unknown,
): MemoryTransportOptions {
  const offered = Array.isArray(protocols) ? protocols.join(", ") : protocols;
  if (typeof offered !== "string" || offered === "") return options;
  return { ...options, headers: { ...options.headers, "sec-websocket-protocol": offered } };
}

/** The client's end of a line in memory. */
class ClientEnd implements MemorySocket {
  readyState: number = connecting;
  binaryType = "arraybuffer";
  readonly bufferedAmount = 0;
  refusal: RefusalStatus | undefined = undefined;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null = null;
  onerror: ((error: Error) => void) | null = null;
  onclose: ((event: CloseFacts) => void) | null = null;
  readonly #system: System;
  #server: ServerEnd | undefined = undefined;
  #pending: MemoryConnect | undefined = undefined;
  /** What has arrived and is not read. */
  readonly #arrived: (Buffer | CloseFacts)[] = [];
  #isPaused = false;

  constructor(system: System, options: MemoryTransportOptions, url: URL) {
    this.#system = system;
    system.runtime.turn(() => {
      if (this.readyState !== connecting) return;
      const listener = memoryListenerFor(system.get(memoryListeners), url);
      const mount = listener?.mountAt(url);
      if (listener === undefined || mount === undefined) return this.refused(404);
      this.#pending = new MemoryConnect(listener.engine, mount, this, options, url);
      listener.engine.connect(this.#pending);
    });
  }

  send(data: unknown): void {
    if (this.readyState !== open) return;
    this.#server?.fromClient(typeof data === "string" ? data : bytesOf(data));
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState >= closing) return;
    this.readyState = closing;
    this.#pending?.hangUp();
    this.#server?.clientGone();
    this.#system.runtime.turn(() => this.#closed({ code, reason, wasClean: true }));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readSoon();
  }

  cut(): void {
    if (this.readyState >= closing) return;
    this.readyState = closing;
    this.#pending?.hangUp();
    this.#server?.clientGone();
    this.#system.runtime.turn(() => this.#closed(abnormal));
  }

  /** Lets the peer in: the line is open. */
  accepted(peer: Peer, maxFrameBytes: number): ServerEnd {
    const server = new ServerEnd(this.#system, this, peer, maxFrameBytes);
    this.#server = server;
    this.#system.runtime.turn(() => {
      if (this.readyState !== connecting) return;
      this.readyState = open;
      this.onopen?.();
      this.#readSoon();
    });
    return server;
  }

  /** The server did not let it in. */
  refused(status: RefusalStatus): void {
    this.refusal = status;
    this.#system.runtime.turn(() => {
      this.onerror?.(new Error("the connection was refused"));
      this.#closed(abnormal);
    });
  }

  /** Something is on the way to the client. */
  acquire(arrival: Buffer | CloseFacts): void {
    this.#arrived.push(arrival);
    this.#readSoon();
  }

  #readSoon(): void {
    this.#system.runtime.turn(() => {
      if (this.#isPaused || this.readyState !== open) return;
      for (const arrival of this.#arrived.splice(0)) {
        if ("code" in arrival) return this.#closed(arrival);
        this.#server?.taken(arrival.length);
        for (const { kind, payload } of readFrames(arrival)) {
          if (kind === "text") this.onmessage?.({ data: payload.toString() });
          if (kind === "binary") this.onmessage?.({ data: new Uint8Array(payload).buffer });
        }
      }
    });
  }

  #closed(facts: CloseFacts): void {
    if (this.readyState === closed) return;
    this.readyState = closed;
    this.onclose?.(facts);
  }
}

/** The server's end. */
class ServerEnd implements Transport {
  pendingBytes = 0;
  readonly #system: System;
  readonly #client: ClientEnd;
  readonly #peer: Peer;
  readonly #maxFrameBytes: number;
  #isOver = false;
  #isPaused = false;
  #isFull = false;
  /** What the client sent and nobody has read. */
  readonly #sent: (string | Uint8Array | undefined)[] = [];

  constructor(system: System, client: ClientEnd, peer: Peer, maxFrameBytes: number) {
    this.#system = system;
    this.#client = client;
    this.#peer = peer;
    this.#maxFrameBytes = maxFrameBytes;
  }

  send(frames: Frames): boolean {
    if (this.#isOver) return true;
    this.pendingBytes += frames.length;
    this.#client.acquire(asBytes(frames));
    this.#isFull = this.pendingBytes >= lineBytes;
    return !this.#isFull;
  }

  close(code: CloseCode, reason: string): void {
    if (this.#isOver) return;
    this.#client.acquire({ code, reason, wasClean: true });
    this.#end();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#client.acquire(abnormal);
    this.#end();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readSoon();
  }

  /** The client has read so many bytes. */
  taken(bytes: number): void {
    this.pendingBytes -= bytes;
    if (!this.#isFull || this.pendingBytes > 0 || this.#isOver) return;
    this.#isFull = false;
    this.#peer.writable();
  }

  fromClient(data: string | Uint8Array): void {
    this.#sent.push(data);
    this.#readSoon();
  }

  /** Behind what the client has sent. */
  clientGone(): void {
    this.#sent.push(undefined);
    this.#isPaused = false;
    this.#readSoon();
  }

  #readSoon(): void {
    this.#system.runtime.turn(() => {
      while (!this.#isPaused && !this.#isOver && this.#sent.length > 0)
        this.#read(this.#sent.shift());
    });
  }

  #read(data: string | Uint8Array | undefined): void {
    if (data === undefined) return this.#end();
    const bytes = Buffer.byteLength(data);
    if (bytes <= this.#maxFrameBytes)
      return typeof data === "string" ? this.#peer.text(data, bytes) : this.#peer.binary(data);
    this.#peer.broken(1009, "Max payload size exceeded");
    this.close(1009, "");
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#system.runtime.turn(() => this.#peer.gone());
  }
}

/** A connection request without a network. */
class MemoryConnect extends PendingConnection {
  protected readonly line = "memory";
  readonly #client: ClientEnd;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #url: URL;

  constructor(
    host: Host,
    mount: Mount,
    client: ClientEnd,
    options: MemoryTransportOptions,
    url: URL,
  ) {
    const { remoteAddress = "127.0.0.1", headers = {} } = options;
    super(host, mount, { remoteAddress }, headers["x-forwarded-for"]);
    this.#client = client;
    this.#headers = headers;
    this.#url = url;
  }

  get request(): ConnectRequest {
    const headers = this.#headers;
    return {
      method: "GET",
      path: this.#url.pathname,
      protocols: headers["sec-websocket-protocol"],
      query: this.#url.search.slice(1),
      headerCount: Object.keys(headers).length,
      origin: headers["origin"],
      host: headers["host"] ?? this.#url.host,
      isSecure: this.#url.protocol === "wss:",
      hasCookie: headers["cookie"] !== undefined,
    };
  }

  get headers(): Headers {
    return safeHeaders(this.#headers);
  }

  protected open(peer: Peer): Transport | undefined {
    return this.#client.accepted(peer, this.mount.world.limits.maxFrameBytes);
  }

  protected turnAway(status: RefusalStatus): void {
    this.#client.refused(status);
  }
}

/** A client's data that is no text. @throws TypeError for anything but bytes, as a WebSocket does */
function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (!ArrayBuffer.isView(data)) throw new TypeError("a WebSocket sends text or bytes");
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
