// What a channel is: callbacks per topic pattern, typed by the pattern's contract.
import type { Self } from "../process/index.ts";
import type { Topic } from "../pubsub/index.ts";
import type {
  HistoryNotDeclared,
  InOf,
  JoinParams,
  JoinReply,
  NotWithHistory,
  OutOf,
  PayloadOf,
  Position,
  ReplyOf,
  Say,
  Unsayable,
  WithHistory,
} from "./contract.ts";
import type { Schema } from "./schema.ts";

/**
 * A topic joined by one socket: a process, the state and the voice of a channel. One of its callbacks runs at a time; its
 * crash ends this channel alone, and its client joins again.
 */
export interface Joined<S, A, SA> extends Self {
  /** The topic's full name. */
  readonly topic: string;
  /** The part of the topic after the prefix of the pattern. */
  readonly key: string;
  /** What `join` assigned: the state of this channel, to be changed as it likes. */
  readonly assigns: A;
  /** The connection it came by. */
  readonly socket: {
    /** What `connect` assigned, for all channels of the connection. */
    readonly assigns: Readonly<SA>;
    /** What names all sockets of one user, if `id` does. */
    readonly id: string | undefined;
  };
  /** Sends to this client, in the order of the calls, after the reply to its join. */
  readonly push: Say<S, void>;
  /** Sends to all who joined the topic, this client included. */
  readonly broadcast: Say<S, void>;
  /** Sends to all but this client; not with history, whose log is one for all. */
  readonly broadcastFrom: S extends WithHistory ? Unsayable<NotWithHistory> : Say<S, void>;
  /** A broadcast that resolves when the log has it, with its place there. */
  readonly publish: S extends WithHistory
    ? Say<S, Promise<Position>>
    : Unsayable<HistoryNotDeclared>;
}

/** A reply to come: return it from the callback, settle it from a message or task. Only the first word counts. */
export interface Later<R> {
  /** Answers the event. */
  reply(reply: R): void;
  /** Answers it with an error reply. */
  refuse(reason: object): void;
}

/**
 * What to do with a client for whom more bytes wait than are kept for one. `"disconnect"`: close 4008; it misses nothing
 * unknowingly. `"dropOldest"`: the topic's oldest waiting broadcasts are dropped and counted. `latest`: of the waiting
 * broadcasts with one key, the newest is kept. Replies are never dropped.
 */
export type SlowPolicy<P = never> =
  | "disconnect"
  | "dropOldest"
  | { readonly latest: (payload: P) => string };

/** How much of a topic's past is kept and handed out. */
export interface History {
  /** Messages kept at most. */
  readonly count?: number;
  /** Bytes kept at most. */
  readonly bytes?: number;
  /** How long a message is kept. */
  readonly ageMs?: number;
  /** More than this many missed: the join with `since` is a `"gap"`. */
  readonly maxReplay?: number;
  /** How many of the newest messages a join without `since` is handed in its reply, under `"~"`; default none. */
  readonly onJoin?: number;
}

/** Schemas for everything a client may send; `"trusted"` means none, and says so. */
export type Schemas<S> =
  | "trusted"
  | ({ readonly join: AnySchema } & { readonly [E in keyof InOf<S>]: AnySchema });

/** A schema of any type. */
export type AnySchema = Schema<unknown, unknown>;

/** What of schemas `H` does not take what the contract lets a client send: in its place stands what would. */
export type Fitting<S, H> = H extends object
  ? {
      readonly [E in keyof H]: Takes<H[E], SentAs<S, E>> extends true
        ? H[E]
        : Schema<unknown, SentAs<S, E>>;
    }
  : H;
type SentAs<S, E> = E extends "join"
  ? JoinParams<S>
  : E extends keyof InOf<S>
    ? PayloadOf<InOf<S>[E]>
    : never;
type Takes<H, Sent> = H extends { readonly "~standard": { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly input: infer In }
    ? [Sent] extends [In]
      ? true
      : false
    : true
  : false;

/** What a callback gets for what a client sends: what the schema makes of it, and without one as it was sent. */
export type Heard<H, E, Sent> = H extends { readonly [K in E & string]: infer One }
  ? One extends { readonly "~standard": { readonly types?: infer T } }
    ? NonNullable<T> extends { readonly output: infer Out }
      ? Out
      : Sent
    : Sent
  : Sent;

/** What lets a client in: the state of its channel, and the reply that the contract promises. */
export type JoinResult<S, A> = {
  /** The state of the channel. */
  readonly assigns: A;
} & ([JoinReply<S>] extends [void]
  ? { readonly reply?: undefined }
  : { readonly reply: JoinReply<S> });

/** One function per event a client may send. */
export type Handlers<S, A, SA, H = "trusted"> = {
  readonly [E in keyof InOf<S>]: (
    payload: Heard<H, E, PayloadOf<InOf<S>[E]>>,
    channel: Joined<S, A, SA>,
    later: Later<ReplyOf<InOf<S>[E]>>,
  ) => ReplyOf<InOf<S>[E]> | Promise<ReplyOf<InOf<S>[E]>> | Later<ReplyOf<InOf<S>[E]>>;
};

/** The callbacks of a channel, each a message of its process: one at a time, to its end. */
export interface ChannelCallbacks<S, A, SA, I, H = "trusted"> {
  /**
   * Decides who may hear this topic. Accepts by returning, refuses by throwing `Refused`, or what a presence refuses with;
   * any other failure is told to the client as `join crashed`, with an `id` that the log has too. `joining` cannot speak yet.
   */
  readonly join: (
    params: Heard<H, "join", JoinParams<S>>,
    joining: Joined<S, unknown, SA>,
  ) => JoinResult<S, A> | Promise<JoinResult<S, A>>;
  /** Runs after the client has the reply, before its next event. */
  readonly joined?: (channel: Joined<S, NoInfer<A>, SA>) => void | Promise<void>;
  /** Bus topics to hear from the join on; what they carry arrives at `info`, which has to be there. */
  readonly subscribe?: (channel: Joined<S, NoInfer<A>, SA>) => readonly Topic<I>[];
  /** Runs for each message of the bus topics. */
  readonly info?: (message: NoInfer<I>, channel: Joined<S, NoInfer<A>, SA>) => void | Promise<void>;
  /**
   * One function per event a client may send; the result is the reply, a thrown `Refused`, or what a presence refuses with,
   * an error reply.
   */
  readonly on?: Handlers<S, NoInfer<A>, SA, NoInfer<H>>;
  /**
   * Broadcasts to see before the client does: the result is sent in their place, `undefined` drops them. Costs one
   * encoding for each client.
   */
  readonly intercept?: {
    readonly [E in keyof OutOf<S>]?: (
      payload: OutOf<S>[E],
      channel: Joined<S, NoInfer<A>, SA>,
    ) => OutOf<S>[E] | undefined;
  };
  /** Runs when the client leaves, is gone, or is disconnected; not after a crash. */
  readonly leave?: (channel: Joined<S, NoInfer<A>, SA>) => void | Promise<void>;
  /** What a client that does not keep up means; default `"disconnect"`. */
  readonly slow?: SlowPolicy<OutOf<S>[keyof OutOf<S>]>;
}

// `Hears` and `Keeps` must not mention A and I: the compiler would settle them before it has seen `join`.

/** Needed exactly when a client may say something: `schemas` for join and events, `on` for events. */
export type Hears<S, H = Schemas<S>> = ([keyof InOf<S>] extends [never]
  ? unknown
  : { readonly on: object }) &
  ([keyof InOf<S> | (S extends { join(params: never): unknown } ? "join" : never)] extends [never]
    ? { readonly schemas?: H & Fitting<S, H> }
    : { readonly schemas: H & Fitting<S, H> });
/** Needed exactly when the contract says so. */
export type Keeps<S> = S extends WithHistory
  ? { readonly history: History }
  : { readonly history?: HistoryNotDeclared };

/** Everything about a channel: its callbacks, and what its contract makes necessary. */
export type ChannelDefinition<S, A, SA, I, H = Schemas<S>> = ChannelCallbacks<S, A, SA, I, H> &
  Hears<S, H> &
  Keeps<S>;

/** A channel, ready to be listed in the options of a socket. */
export interface Channel<SA> {
  /** The topics it is for. */
  readonly pattern: string;
  /** A type only. */
  readonly "~socket"?: (assigns: SA) => void;
}
