import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { subprotocol, withoutToken } from "../admission/auth-token.ts";
import type { ConnectRequest } from "../admission/connect-checks.ts";
import type { RefusalStatus } from "./attempt.ts";
import { factsOf, headerOf, pathOf, queryOf, safeHeaders } from "./http-request.ts";
import { handshakeFault } from "../admission/handshake-fault.ts";
import type { Mount } from "../admission/mount.ts";
import type { Peer, Transport } from "./transport.ts";
import { PendingConnection, type Host } from "./pending-connection.ts";
import { own, type Line, type LineOwner } from "./upgraded-line.ts";
import { WebSocketTransport, acceptUpgrade } from "./web-socket-transport.ts";

/** Somebody who asks for an upgrade. */
export class WebSocketUpgrade extends PendingConnection implements LineOwner {
  protected readonly line = "websocket";
  readonly #request: IncomingMessage;
  readonly #line: Line;
  readonly #head: Buffer;
  readonly #protocols: string | undefined;
  #unwatch: (() => void) | undefined = undefined;

  constructor(host: Host, mount: Mount, request: IncomingMessage, line: Line, head: Buffer) {
    super(host, mount, request.socket, headerOf(request, "x-forwarded-for"));
    this.#request = request;
    const { headers } = request;
    this.#protocols = headers["sec-websocket-protocol"];
    if (this.#protocols !== undefined) hideToken(headers, this.#protocols);
    this.#line = line;
    this.#head = head;
    own(line, this);
  }

  get request(): ConnectRequest {
    const { method = "", rawHeaders, headers } = this.#request;
    const { origin, host, isSecure, hasCookie } = factsOf(this.#request);
    return {
      origin,
      host,
      isSecure,
      hasCookie,
      method,
      path: pathOf(this.#request),
      query: queryOf(this.#request),
      protocols: this.#protocols,
      headerCount: rawHeaders.length / 2,
      fault: handshakeFault(headers),
    };
  }

  get headers(): Headers {
    return safeHeaders(this.#request.headers);
  }

  override watch(): void {
    if (this.#unwatch !== undefined) return;
    super.watch();
    const line = this.#line;
    // A line that nobody reads does not tell of its end. What came early stays in it.
    const onReadable = (): void => void line.read(0);
    // It is left half open otherwise.
    const onEnd = (): void => void line.destroy();
    line.on("readable", onReadable).on("end", onEnd);
    this.#unwatch = () => line.off("readable", onReadable).off("end", onEnd);
  }

  closed(): void {
    this.hangUp();
  }

  protected open(peer: Peer): Transport | undefined {
    this.#unwatch?.();
    const line = this.#line;
    // Its client has hung up already.
    if (!line.readable || !line.writable) return void line.destroy();
    const { headers } = this.#request;
    const offered = headers["sec-websocket-protocol"]?.split(", ") ?? [];
    const { world } = this.mount;
    acceptUpgrade(
      line,
      headers["sec-websocket-key"]!,
      offered.includes(subprotocol) ? subprotocol : undefined,
    );
    return new WebSocketTransport(world.system, world.limits, line, this.#head, peer);
  }

  protected turnAway(status: RefusalStatus, retryAfterSeconds?: number): void {
    this.#unwatch?.();
    refuseUpgrade(this.#line, status, retryAfterSeconds);
  }
}

/** Its token is for the check alone: whoever sees the headers from now on does not see it. */
function hideToken(headers: IncomingMessage["headers"], protocols: string): void {
  const rest = withoutToken(protocols);
  if (rest === undefined) delete headers["sec-websocket-protocol"];
  else headers["sec-websocket-protocol"] = rest;
}

/** Answers an upgrade with a refusal, and ends its connection, whatever the other side does. */
export function refuseUpgrade(
  line: Duplex,
  status: RefusalStatus,
  retryAfterSeconds?: number,
): void {
  const retry = retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  // Whoever speaks another version is told which there are.
  const versions = status === 400 ? "Sec-WebSocket-Version: 13, 8\r\n" : "";
  const first = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  // Nobody else hears its errors any more, and an error that nobody hears ends the program.
  line.on("error", ignore).once("finish", () => line.destroy());
  line.end(`${first}Connection: close\r\n${retry}${versions}Content-Length: 0\r\n\r\n`);
}

function ignore(): void {}
