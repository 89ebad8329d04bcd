import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer, type Server, type ServerOptions } from "ws";
import { subprotocol } from "../admission/auth-token.ts";
import type { CloseCode } from "../wire/frame.ts";
import type { Limits } from "../limits.ts";
import type { Peer, Transport } from "./transport.ts";

/** A client that does not answer a close is cut off after this. */
const closeTimeoutMs = 5_000;
const transport: unique symbol = Symbol("sluice.transport");

class ServerSocket extends WebSocket {
  transport: WebSocketTransport | undefined = undefined;
}
type Line = Socket & { [transport]?: WebSocketTransport };

/** A WebSocket that `ws` reads and closes; frames are written past it, to the socket of the upgrade. */
export class WebSocketTransport implements Transport {
  readonly #reader: ServerSocket;
  readonly #line: Line;
  readonly peer: Peer;

  constructor(reader: ServerSocket, line: Line, peer: Peer) {
    this.#reader = reader;
    this.#line = line;
    this.peer = peer;
    reader.transport = this;
    line[transport] = this;
    reader.on("message", onMessage).on("ping", onPing).on("close", onClose).on("error", onError);
  }

  get pendingBytes(): number {
    return this.#line.writableLength;
  }

  send(frames: Buffer): boolean {
    if (this.#reader.readyState !== WebSocket.OPEN || this.#line.write(frames)) return true;
    this.#line.on("drain", onDrain);
    return false;
  }

  close(code: CloseCode, reason: string): void {
    this.#reader.close(code, reason);
  }

  destroy(): void {
    this.#reader.terminate();
  }

  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }
}

/** What `ws` takes and its types do not know yet. */
interface Options extends ServerOptions<typeof ServerSocket> {
  readonly closeTimeout: number;
}

/** Makes transports of upgrade requests, all under the same limits. */
export class WebSocketUpgrades {
  readonly #server: Server<typeof ServerSocket>;

  constructor(limits: Limits) {
    const options: Options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: limits.maxFrameBytes,
      maxFragments: limits.maxFragments,
      maxBufferedChunks: limits.maxBufferedChunks,
      closeTimeout: closeTimeoutMs,
      handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
      WebSocket: ServerSocket,
    };
    this.#server = new WebSocketServer(options);
  }

  /** Upgrades a connection whose headers were checked; of one that is over nothing comes back. */
  upgrade(
    request: IncomingMessage,
    line: Duplex,
    head: Buffer,
    peer: Peer,
  ): WebSocketTransport | undefined {
    let made: WebSocketTransport | undefined;
    this.#server.handleUpgrade(request, line, head, (reader) => {
      made = new WebSocketTransport(reader, line as Line, peer);
    });
    return made;
  }
}

/** What `ws` closes with, by what it complains of; all else is 1002. */
const codes: ReadonlyMap<string, CloseCode> = new Map([
  ["WS_ERR_INVALID_UTF8", 1007],
  ["WS_ERR_TOO_MANY_BUFFERED_PARTS", 1008],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", 1009],
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", 1009],
]);

// Shared by all sockets: no functions are made for one.

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  const { peer } = (this as ServerSocket).transport!;
  const bytes = data as Buffer;
  if (isBinary) peer.binary(bytes);
  else peer.text(bytes.toString(), bytes.length);
}

function onPing(this: WebSocket, payload: Buffer): void {
  (this as ServerSocket).transport!.peer.ping(payload);
}

/** What came broke the protocol or a limit of the parser, which has closed the line and says why. */
function onError(this: WebSocket, error: Error & { readonly code?: string }): void {
  const { peer } = (this as ServerSocket).transport!;
  const code = error.code === undefined ? undefined : codes.get(error.code);
  if (error.code?.startsWith("WS_ERR_") === true) peer.broken(code ?? 1002, error.message);
  else peer.gone();
}

function onClose(this: WebSocket): void {
  (this as ServerSocket).transport!.peer.gone();
}

function onDrain(this: Line): void {
  this.off("drain", onDrain);
  this[transport]?.peer.writable();
}
