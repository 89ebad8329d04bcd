import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Context } from "../process/index.ts";
import type { Channel } from "./definition.ts";
import type { DrainOptions } from "./server/drain-batches.ts";
import type { Limits } from "./limits.ts";
import type { OriginOptions } from "./admission/origin.ts";
import type { Params } from "./admission/params.ts";

/** What is known of a connection beyond its params. */
export interface ConnectInfo extends Context {
  /** `x-…`, `sec-websocket-…`, `user-agent`, `traceparent` and `tracestate`; never cookies, which any page can make a browser send. */
  readonly headers: Headers;
  /**
   * Address of the client; without `trustedProxies`, of the proxy it came through. To be read within `connect`: who wants it
   * later keeps it in the `assigns`. It is looked up when it or the port is first read, which costs a few µs, and stays; of a
   * connection that has ended by then it may be `""`.
   */
  readonly remoteAddress: string;
  /** Port of whoever connected, client or proxy. To be read within `connect`, as the address; else it may be 0. */
  readonly remotePort: number;
  /** What was asked for, by the name that the client knows this server by, which is one of `allowedHosts`. */
  readonly url: URL;
  /** What the client brings as its `authToken`, as it brought it: nobody has checked it. */
  readonly authToken: string | undefined;
  /** All params, those in brackets nested, with what stands at the variables of the mount's path. */
  readonly params: Params;
}

/** One mount: who may connect, and which channels there are. */
export interface SocketOptions<SA> {
  /**
   * Decides who may connect; the result is the `assigns` of the socket. Refuses by throwing `Refused`: 403, before the
   * upgrade. Keep it cheap, for clients try again for ever.
   *
   * @param params the params of the URL that are text, without `vsn`; records without a prototype
   */
  readonly connect: (
    params: Readonly<Record<string, string>>,
    info: ConnectInfo,
  ) => SA | Promise<SA>;
  /** Identifies all sockets of one user, for forced disconnects. */
  readonly id?: (assigns: SA) => string;
  /**
   * How long a connection may live from its `connect` on, such as what is left of a token: then it is closed (4003), at most
   * a second late, and comes back through `connect`. `Infinity` is for ever; 0 or less is refused with 403. Without it,
   * connections live as long as their clients keep them.
   */
  readonly lifetimeMs?: (assigns: SA) => number;
  /**
   * Looks again whether a connection may go on; refuses by throwing `Refused`: close 4003. So do a crash, which is logged,
   * and no answer within `revalidateTimeoutMs`: who must survive an outage of what it asks catches that itself. It runs
   * beside the messages of its client, at most `maxRevalidations` of a mount at a time; its signal aborts when the
   * connection ends.
   */
  readonly revalidate?: (assigns: SA, context: Context) => void | Promise<void>;
  /** Between two looks of `revalidate`, at most; each comes up to a fifth earlier, by chance. Default 1,800,000: 30 minutes. */
  readonly revalidateMs?: number;
  /** The channels clients may join; the first whose pattern matches a topic is taken. */
  readonly channels: readonly Channel<SA>[];
  /** Bytes waiting for one client at most, then its topic's `slow`; default 1 MiB. */
  readonly maxPendingBytes?: number;
  /**
   * Long-polling, at `…/longpoll`, for clients whose network lets no WebSocket through; default off. The sessions of a
   * client live in the process it came to first: behind a load balancer its requests must stick to that.
   */
  readonly longPoll?: boolean | LongPollOptions;
}

/** How long-polling clients are served. */
export interface LongPollOptions {
  /**
   * How long a poll waits for messages; default 10,000, at most 18,000, for the stock client gives up after 20 s. A
   * session ends when no poll has come for one and a half of it.
   */
  readonly windowMs?: number;
}

/** Answers an HTTP request. A rejection is a 500 that tells nothing. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Options of an endpoint, wherever it listens. */
export interface EndpointBase<SA> extends OriginOptions {
  /**
   * Where clients connect: `"/socket"` is `ws://…/socket/websocket`, and with `longPoll` `http://…/socket/longpoll`. Parts
   * may be variables: what stands at `:tenant` in `"/socket/:tenant"` is a param of that name, whatever the query says.
   */
  readonly sockets: { readonly [path: `/${string}`]: SocketOptions<SA> };
  /**
   * Pages and other answers beside the sockets, by path; one `*` at the end stands for whatever follows, the first match
   * counts. The Host is checked before a route runs, and the Origin if there is one.
   */
  readonly routes?: { readonly [path: `/${string}`]: Route };
  /**
   * How its clients are sent away when it stops, with 1012: in batches, so that they do not all come back at once. Each
   * has what it asked answered first, for at most 2 s.
   */
  readonly drain?: DrainOptions;
  /**
   * Proxies in front of it that are believed when they say in `X-Forwarded-For` whom they speak for: addresses and networks,
   * `["10.0.0.0/8", "::1"]`. The client is the last one there that is none of them; connections are counted by it, and
   * `info.remoteAddress` tells it. Name no network that clients are in, too: whoever is in it may claim any address.
   * Default none: the header is never believed.
   *
   * @throws SLUICE_INVALID_OPTION for anything but addresses and networks
   */
  readonly trustedProxies?: readonly string[];
  /** Limits of all its sockets that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}
/** An endpoint with a server of its own, bound to `host`. */
export interface OwnServer {
  /** 0 takes a free one; `address` tells which. */
  readonly port: number;
  /** A server of its own is made. */
  readonly server?: undefined;
}
/** An endpoint on a server that is there already, which it leaves open when it ends. */
export interface GivenServer {
  /**
   * A server of `node:http` or `node:https`, alone or under a framework. The endpoint takes the requests and upgrades that
   * are its own before any other listener sees them, whichever came first, and leaves it all others.
   */
  readonly server: Server | SecureServer;
  /** It has one. */
  readonly port?: undefined;
}
/** Options of an endpoint: safe when only `port` and `sockets` are given. */
export type EndpointOptions<SA> = EndpointBase<SA> & (OwnServer | GivenServer);

/** Where an endpoint listens. */
export interface BoundAddress {
  /** The address it is bound to. */
  readonly host: string;
  /** The port, also when a free one was taken. */
  readonly port: number;
  /** Both as the beginning of URLs, without a slash at the end. */
  readonly url: string;
}
/** The messages of a running endpoint. */
export interface EndpointServer {
  /** Where it listens. */
  address(): BoundAddress;
}
