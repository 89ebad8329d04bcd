import type { Mount } from "../admission/mount.ts";
import type { Params } from "../admission/params.ts";
import type { Serializer } from "../wire/serializer.ts";
import type { Peer, Transport } from "./transport.ts";

/** What a connection is refused with, before it is one. */
export type RefusalStatus = 400 | 403 | 404 | 431 | 500 | 503;

/** A wish to connect, whatever it comes by. */
export interface Attempt {
  readonly mount: Mount;
  readonly params: Params;
  /** The version that its client speaks. */
  readonly serializer: Serializer;
  /** What its client brings to prove who it is, as the stock client's `authToken`; nobody has checked it. */
  readonly authToken: string | undefined;
  readonly headers: Headers;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The network that it is counted as, if it is. */
  readonly network: string | undefined;
  readonly url: URL;
  /** It was let in or sent away, or has hung up. */
  readonly isGone: boolean;
  /** It has to wait for its answer. */
  watch(): void;
  /** Lets it in; nothing when its client has hung up, or asks wrongly. */
  accept(peer: Peer): Transport | undefined;
  /** Sends it away. */
  refuse(status: RefusalStatus, retryAfterSeconds?: number): void;
}
