import type {
  AnyTopic,
  ContractOf,
  InOf,
  JoinParams,
  JoinReply,
  OutOf,
  PayloadOf,
  ReplyOf,
  TopicMap,
} from "./contract.ts";

/** What of the stock client's `Socket` is used. */
interface StockSocket {
  channel(topic: string, params?: object): unknown;
}

/** A payload as the stock client hands it over: bytes come as an `ArrayBuffer`. */
export type Received<P> = P extends Uint8Array ? ArrayBuffer : P;
/** A payload as the stock client takes it: bytes go as an `ArrayBuffer`. */
export type Sent<P> = P extends Uint8Array ? ArrayBuffer : P;

/** The params of a join, or what makes them for each join; left out where a topic asks for none. */
export type JoinArguments<S> =
  unknown extends JoinParams<S>
    ? [params?: object | (() => object)]
    : [params: JoinParams<S> | (() => JoinParams<S>)];

/** One who is present: a meta for each time, and whatever the server's `fetch` adds. */
export interface PresentEntry {
  /** How they are present; `phx_ref` names the meta. */
  readonly metas: readonly {
    readonly phx_ref: string;
    readonly phx_ref_prev?: string;
    readonly [field: string]: unknown;
  }[];
  /** What is known of the key. */
  readonly [field: string]: unknown;
}

/** What a presence says on any topic, beside the contract; the stock client's `Presence` reads the first two. */
export interface PresenceEvents {
  /** Who is there, by key. */
  readonly presence_state: { readonly [key: string]: PresentEntry };
  /** Who came and who left, by key. */
  readonly presence_diff: {
    readonly joins: { readonly [key: string]: PresentEntry };
    readonly leaves: { readonly [key: string]: PresentEntry };
  };
  /** How many there are, where that is all that is announced. */
  readonly presence_count: { readonly count: number };
}

/** All events that a client may hear: those of the contract, and those of a presence. */
export type HeardOf<S> = OutOf<S> & Omit<PresenceEvents, keyof OutOf<S>>;

/** A message on its way to the server, and what comes of it; it is taken for a `Push` of the stock client. */
export interface TypedPush<R> {
  /** Sends it; the channel has done so. */
  send(): void;
  /** Sends it again. */
  resend(timeoutMs: number): void;
  /** It was answered. */
  receive(status: "ok", callback: (reply: R) => void): this;
  /** It was refused, with a reason of the server's. */
  receive(status: "error", callback: (reason: object) => void): this;
  /** There was no answer in time. */
  receive(status: "timeout", callback: () => void): this;
}

/**
 * A channel of the stock client that says and hears what the contract of its topic allows, and hears presences. It is taken
 * for a `Channel`, such as by `new Presence(channel)`.
 */
export interface TypedChannel<S> {
  /** The topic's full name. */
  readonly topic: string;
  /** How far it is. */
  readonly state: "closed" | "errored" | "joined" | "joining" | "leaving";
  /** Sees each message before its handlers; the result is what they get. */
  onMessage: (event: string, payload?: unknown, ref?: unknown) => unknown;
  /** Joins; the reply is what the contract promises. */
  join(timeoutMs?: number): TypedPush<JoinReply<S>>;
  /** Leaves. */
  leave(timeoutMs?: number): TypedPush<object>;
  /** Hears one of the server's events; returns what `off` takes. */
  on<E extends keyof HeardOf<S> & string>(
    event: E,
    handler: (payload: Received<HeardOf<S>[E]>) => void,
  ): number;
  /** Hears it no more: one handler, or all. */
  off(event: keyof HeardOf<S> & string, ref?: number): void;
  /** Says something to the server. */
  push<E extends keyof InOf<S> & string>(
    event: E,
    payload: Sent<PayloadOf<InOf<S>[E]>>,
    timeoutMs?: number,
  ): TypedPush<ReplyOf<InOf<S>[E]>>;
  /** The channel has ended, in order. */
  onClose(callback: (payload?: unknown, ref?: unknown, joinRef?: unknown) => void): number;
  /** The channel has crashed, or the connection is lost: it is joined again by itself. */
  onError(callback: (reason?: unknown) => void): number;
}

/** A socket of the stock client that knows what may be said on which topic. */
export interface TypedSocket<M> {
  /** A channel of a topic, to be joined. */
  channel<T extends AnyTopic<M>>(
    topic: T,
    ...params: JoinArguments<ContractOf<M, T>>
  ): TypedChannel<ContractOf<M, T>>;
}

/**
 * The stock client's socket, as the contract types it that the server is bound to: a wrong topic, event, payload, param or
 * reply does not compile. It is the same object: nothing happens at run time.
 *
 * ```ts no-run
 * import { Socket } from "phoenix";
 * import { typed } from "sluice/client";
 *
 * interface Topics {
 *   "user:*": {
 *     join(params: { readonly device: string }): { readonly unread: number };
 *     in: { ack(payload: { readonly id: string }): { readonly unread: number } };
 *     out: { push: { readonly text: string } };
 *   };
 * }
 * const socket = new Socket("/socket");
 * const channel = typed<Topics>(socket).channel("user:1", { device: "phone" });
 * channel.on("push", ({ text }) => console.info(text));
 * channel.join().receive("ok", ({ unread }) => console.info(unread));
 * channel.push("ack", { id: "1" }).receive("ok", ({ unread }) => console.info(unread));
 * socket.connect();
 * ```
 */
export function typed<M extends TopicMap<M>>(socket: StockSocket): TypedSocket<M> {
  return socket as unknown as TypedSocket<M>;
}
