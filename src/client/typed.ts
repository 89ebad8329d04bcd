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

/** A message on its way to the server, and what comes of it. */
export interface TypedPush<R> {
  /** It was answered. */
  receive(status: "ok", callback: (reply: R) => void): this;
  /** It was refused, with a reason of the server's. */
  receive(status: "error", callback: (reason: object) => void): this;
  /** There was no answer in time. */
  receive(status: "timeout", callback: () => void): this;
}

/** A channel of the stock client that says and hears what the contract of its topic allows. */
export interface TypedChannel<S> {
  /** The topic's full name. */
  readonly topic: string;
  /** Sees each message before its handlers; the result is what they get. */
  onMessage: (event: string, payload?: unknown, ref?: unknown) => unknown;
  /** Joins; the reply is what the contract promises. */
  join(timeoutMs?: number): TypedPush<JoinReply<S>>;
  /** Leaves. */
  leave(timeoutMs?: number): TypedPush<object>;
  /** Hears one of the server's events; returns what `off` takes. */
  on<E extends keyof OutOf<S> & string>(
    event: E,
    handler: (payload: Received<OutOf<S>[E]>) => void,
  ): number;
  /** Hears it no more: one handler, or all. */
  off(event: keyof OutOf<S> & string, ref?: number): void;
  /** Says something to the server. */
  push<E extends keyof InOf<S> & string>(
    event: E,
    payload: Sent<PayloadOf<InOf<S>[E]>>,
    timeoutMs?: number,
  ): TypedPush<ReplyOf<InOf<S>[E]>>;
  /** The channel has ended, in order. */
  onClose(callback: () => void): number;
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
