import type { Socket } from "node:net";
import type { Cell } from "../../process/internal.ts";
import type { TelemetryEvents } from "../../telemetry/index.ts";
import { connected } from "../../telemetry/internal.ts";
import type { ConnectRequest } from "../admission/connect-checks.ts";
import type { Attempt, RefusalStatus } from "./attempt.ts";
import type { Arrival } from "../admission/connection-limiter.ts";
import type { Mount } from "../admission/mount.ts";
import type { Params } from "../admission/params.ts";
import type { Serializer } from "../wire/serializer.ts";
import type { Peer, Transport } from "./transport.ts";
import type { TrustedProxies } from "../admission/trusted-proxies.ts";
import { v2 } from "../wire/v2-serializer.ts";

/** Who lets pendings in. */
export interface Host {
  readonly proxies: TrustedProxies;
  enter(pending: PendingConnection): void;
}

/** Who is at the other end of a line. */
type Remote = Partial<Pick<Socket, "remoteAddress" | "remotePort">>;

/** One attempt to connect, from the request to its end. */
export abstract class PendingConnection implements Attempt, Arrival {
  readonly mount: Mount;
  network: string | undefined = undefined;
  params: Params = {};
  serializer: Serializer = v2;
  authToken: string | undefined = undefined;
  /** Can its transport carry bytes? */
  readonly carriesBytes: boolean = true;
  /** The request was accepted, refused or aborted. */
  isGone = false;
  /** Its socket, once it has entered. */
  cell: Cell | undefined = undefined;
  /** What its client is reached by. */
  protected abstract readonly line: TelemetryEvents["sluice.channels.connected"]["transport"];
  readonly #host: Host;
  readonly #from: Remote;
  readonly #forwarded: string | undefined;
  #remoteAddress: string | undefined = undefined;
  /** When it asked, if anybody wants to know. */
  readonly #askedAtMs: number | undefined;

  constructor(host: Host, mount: Mount, from: Remote, forwarded: string | undefined) {
    this.#host = host;
    this.mount = mount;
    this.#from = from;
    this.#forwarded = forwarded;
    this.#askedAtMs = connected.active ? mount.world.system.runtime.now() : undefined;
  }

  /** Asked of the kernel when it is first read, which costs: most who are let in are never asked for it. */
  get remoteAddress(): string {
    return (this.#remoteAddress ??= this.#host.proxies.clientOf(
      this.#from.remoteAddress ?? "",
      this.#forwarded,
    ));
  }

  get remotePort(): number {
    return this.#from.remotePort ?? 0;
  }

  abstract get request(): ConnectRequest;
  abstract get headers(): Headers;
  /** Makes its line; nothing when it asks wrongly. */
  protected abstract open(peer: Peer): Transport | undefined;
  protected abstract turnAway(status: RefusalStatus, retryAfterSeconds?: number): void;

  /** What it asked for; the host is one of this endpoint's. */
  get url(): URL {
    const { isSecure, host = "", path, query } = this.request;
    // Whatever was asked: what is no part of a URL is left out.
    const url = new URL(isSecure ? "https://localhost" : "http://localhost");
    url.host = host;
    url.pathname = path;
    url.search = query;
    return url;
  }

  /** Lets it in; once. */
  accept(peer: Peer): Transport | undefined {
    if (this.isGone) return undefined;
    this.isGone = true;
    const transport = this.open(peer);
    if (transport !== undefined && this.#askedAtMs !== undefined && connected.active) {
      const { record, system } = this.mount.world;
      connected.emit({
        endpoint: record.key,
        transport: this.line,
        version: this.serializer.version,
        durationMs: system.runtime.now() - this.#askedAtMs,
      });
    }
    return transport;
  }

  /** Sends it away; once. */
  refuse(status: RefusalStatus, retryAfterSeconds?: number): void {
    if (this.isGone) return;
    this.isGone = true;
    this.turnAway(status, retryAfterSeconds);
  }

  enter(): void {
    this.#host.enter(this);
  }

  /** It is not answered in the turn that it came in: from now on its hanging up is looked for, and who it is, is known also then. */
  watch(): void {
    void this.remoteAddress;
  }

  /** Ends its socket at once: `connect` hears it by its signal, and what it still does is for nobody. */
  abandon(): void {
    this.cell?.kill("shutdown");
  }

  /** Its client has gone before it was let in. */
  hangUp(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.abandon();
  }
}
