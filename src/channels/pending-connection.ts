import type { Cell } from "../process/internal.ts";
import type { ConnectRequest } from "./connect-checks.ts";
import type { Attempt, RefusalStatus } from "./attempt.ts";
import type { Arrival } from "./connection-limiter.ts";
import type { Mount } from "./mount.ts";
import type { Params } from "./params.ts";
import type { Serializer } from "./serializer.ts";
import type { SocketProcess } from "./socket-process.ts";
import type { Peer, Transport } from "./transport.ts";
import { v2 } from "./v2-serializer.ts";

/** Who lets pendings in. */
export interface Host {
  enter(pending: PendingConnection): void;
}

/** One attempt to connect, from the request to its end. */
export abstract class PendingConnection implements Attempt, Arrival {
  readonly mount: Mount;
  readonly remoteAddress: string;
  params: Params = {};
  serializer: Serializer = v2;
  authToken: string | undefined = undefined;
  /** Can his transport carry bytes to him? */
  readonly carriesBytes: boolean = true;
  /** The request was accepted, refused or aborted. */
  isGone = false;
  /** His socket, once he has entered. */
  cell: Cell | undefined = undefined;
  readonly #host: Host;

  constructor(host: Host, mount: Mount, remoteAddress: string) {
    this.#host = host;
    this.mount = mount;
    this.remoteAddress = remoteAddress;
  }

  abstract get request(): ConnectRequest;
  abstract get headers(): Headers;
  abstract accept(peer: Peer): Transport | undefined;
  protected abstract turnAway(status: RefusalStatus, retryAfterSeconds?: number): void;

  /** Sends him away; once. */
  refuse(status: RefusalStatus, retryAfterSeconds?: number): void {
    if (this.isGone) return;
    this.isGone = true;
    this.turnAway(status, retryAfterSeconds);
  }

  enter(): void {
    this.#host.enter(this);
  }

  /** He has gone before he was let in. */
  hangUp(): void {
    if (this.isGone) return;
    this.isGone = true;
    const engine = this.cell?.engine as SocketProcess | undefined;
    if (engine === undefined) this.cell?.stop("normal");
    else engine.hungUp();
  }
}
