import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { withoutToken } from "../admission/auth-token.ts";
import type { ConnectRequest } from "../admission/connect-checks.ts";
import type { RefusalStatus } from "./attempt.ts";
import { factsOf, headerOf, pathOf, queryOf, safeHeaders } from "./http-request.ts";
import { handshakeFault } from "../admission/handshake-fault.ts";
import type { Mount } from "../admission/mount.ts";
import type { Peer, Transport } from "./transport.ts";
import { PendingConnection, type Host } from "./pending-connection.ts";
import type { WebSocketUpgrades } from "./web-socket-transport.ts";

/** Somebody who asks for an upgrade. */
export class WebSocketUpgrade extends PendingConnection {
  protected readonly line = "websocket";
  readonly #upgrades: WebSocketUpgrades;
  readonly #request: IncomingMessage;
  readonly #line: Duplex;
  readonly #head: Buffer;
  readonly #protocols: string | undefined;
  readonly #onClose = (): void => this.hangUp();
  /** A line that nobody reads does not tell of its end. What came early stays in it. */
  readonly #onReadable = (): void => void this.#line.read(0);
  /** It is left half open otherwise. */
  readonly #onEnd = (): void => void this.#line.destroy();

  constructor(
    host: Host,
    mount: Mount,
    upgrades: WebSocketUpgrades,
    request: IncomingMessage,
    line: Duplex,
    head: Buffer,
  ) {
    super(host, mount, request.socket, headerOf(request, "x-forwarded-for"));
    this.#upgrades = upgrades;
    this.#request = request;
    const { headers } = request;
    this.#protocols = headers["sec-websocket-protocol"];
    // Its token is for the check alone: whoever sees the headers from now on does not see it, and need not understand it.
    const rest = withoutToken(this.#protocols);
    if (rest === undefined) delete headers["sec-websocket-protocol"];
    else headers["sec-websocket-protocol"] = rest;
    this.#line = line;
    this.#head = head;
    line.on("error", ignore).on("close", this.#onClose);
    line.on("readable", this.#onReadable).on("end", this.#onEnd);
  }

  get request(): ConnectRequest {
    const { method = "", rawHeaders } = this.#request;
    return {
      ...factsOf(this.#request),
      method,
      path: pathOf(this.#request),
      query: queryOf(this.#request),
      protocols: this.#protocols,
      headerCount: rawHeaders.length / 2,
      fault: handshakeFault(this.#request.headers),
    };
  }

  get headers(): Headers {
    return safeHeaders(this.#request.headers);
  }

  protected open(peer: Peer): Transport | undefined {
    this.#letGo();
    this.#line.off("error", ignore);
    return this.#upgrades.upgrade(this.#request, this.#line, this.#head, peer);
  }

  protected turnAway(status: RefusalStatus, retryAfterSeconds?: number): void {
    this.#letGo();
    refuseUpgrade(this.#line, status, retryAfterSeconds);
  }

  #letGo(): void {
    this.#line.off("close", this.#onClose).off("end", this.#onEnd);
    this.#line.off("readable", this.#onReadable);
  }
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
