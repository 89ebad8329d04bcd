// What channels add to the contracts that server and browser share, which stand in the layer of the browser.
import type { OutOf, TopicOf } from "../client/index.ts";

export type {
  AnyTopic,
  ContractOf,
  HistoryTopic,
  InOf,
  JoinParams,
  JoinReply,
  OutOf,
  PayloadOf,
  Position,
  ReplyOf,
  Resumption,
  TopicContract,
  TopicMap,
  TopicOf,
  WithHistory,
} from "../client/index.ts";

/** In the place of what needs `history: true` in the contract: whoever calls it, or gives it, is told so by the compiler. */
export type HistoryNotDeclared = "say `history: true` in the contract of this topic";
/** In the place of what goes badly with a history. */
export type NotWithHistory = "a topic with history has one log for all: use `broadcast`";
/** A message that is none: its only argument says why. */
export type Unsayable<Why> = (why: Why, payload: never) => never;

/** Says an event of the contract: to one client, or to all who joined. */
export type Say<S, R> = <E extends keyof OutOf<S> & string>(event: E, payload: OutOf<S>[E]) => R;

/** A broadcast as a value, checked against the topic map. */
export type Broadcast<M> = {
  [K in keyof M & string]: {
    [E in keyof OutOf<M[K]> & string]: {
      readonly topic: TopicOf<K>;
      readonly event: E;
      readonly payload: OutOf<M[K]>[E];
    };
  }[keyof OutOf<M[K]> & string];
}[keyof M & string];
