// What channels add to the contracts that server and browser share, which stand in the layer of the browser.
import type { OutOf, TopicOf } from "../client/index.ts";
import type { Refusal } from "../process/index.ts";

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

/** In the place of what needs `history: true` in the contract. */
export interface HistoryNotDeclared extends Refusal {}
/** In the place of what goes badly with a history, whose log is one for all. */
export interface NotWithHistory extends Refusal {}

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
