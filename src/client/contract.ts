// What may be said on which topic, as types that server and browser share; nothing of this is there at run time.
/**
 * What may be said on one topic. A payload is a plain object, or a `Uint8Array`, which travels as a binary frame; nested in
 * an object, bytes are no payload. Write it as an interface:
 *
 * ```ts
 * interface UserTopic {
 *   join(params: { readonly device: string }): { readonly unread: number };
 *   in: { ack(payload: { readonly id: string }): { readonly unread: number } };
 *   out: { push: { readonly text: string } };
 * }
 * export interface Topics { "user:*": UserTopic }
 * ```
 */
export interface TopicContract {
  /** What a client sends to join and gets for it; left out, it may send anything and gets nothing. */
  join?(params: never): unknown;
  /** A client's events, as methods from payload to reply; left out, it may say nothing. */
  readonly in?: object;
  /** The server's events, each with its payload. */
  readonly out?: object;
  /** Broadcasts are numbered and kept, so that clients resume. */
  readonly history?: true;
}

/** Patterns to contracts; an interface the browser can share. */
export type TopicMap<M> = { readonly [K in keyof M]: TopicContract };

/** The topics of a pattern: `"user:*"` stands for `user:${string}`. */
export type TopicOf<Pattern extends string> = Pattern extends `${infer Prefix}*`
  ? `${Prefix}${string}`
  : Pattern;
/** All topics of a map. */
export type AnyTopic<M> = TopicOf<keyof M & string>;
/** The contract of a topic: that of its own name, else that of the pattern it matches. */
export type ContractOf<M, T extends string> = T extends keyof M
  ? M[T]
  : { [K in keyof M & string]: T extends TopicOf<K> ? M[K] : never }[keyof M & string];
/** Topics of a map that are declared with history. */
export type HistoryTopic<M> = {
  [K in keyof M & string]: M[K] extends WithHistory ? TopicOf<K> : never;
}[keyof M & string];

/** The server's events of a contract. */
export type OutOf<S> = S extends { readonly out: infer O } ? O : {};
/** The client's events of a contract. */
export type InOf<S> = S extends { readonly in: infer I } ? I : {};
/** What a client sends to join. */
export type JoinParams<S> = S extends { join(params: infer P): unknown } ? P : unknown;
/** What it gets for it. */
export type JoinReply<S> = S extends { join(params: never): infer R } ? R : void;
/** What a client's event carries. */
export type PayloadOf<F> = F extends (payload: infer P) => unknown ? P : never;
/** What a client's event is answered. */
export type ReplyOf<F> = F extends (payload: never) => infer R ? R : never;

/** A contract whose broadcasts are kept. */
export interface WithHistory {
  /** As the contract says. */
  readonly history: true;
}
/** A place in a topic's history. */
export interface Position {
  /** Names one life of the topic's log; another epoch is another log. */
  readonly epoch: string;
  /** Counts the messages of the log, from 1 on. */
  readonly offset: number;
}
/** How a join with `since: Position` went: under `"~"` in its reply, and the runtime's work alone. */
export interface Resumption extends Position {
  /**
   * `"resumed"`: all that was missed follows. `"gap"`: more was missed than is kept or replayed. `"reset"`: the log began
   * anew.
   */
  readonly status: "resumed" | "gap" | "reset";
  /** After a `"gap"` or `"reset"`, what is sent again begins behind this offset. */
  readonly after?: number;
}
