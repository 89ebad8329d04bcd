// Contracts: what may be said on which topic
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
} from "./contract.ts";

// Over the stock client
export { resumable } from "./resumable.ts";
export type { JoiningChannel, PlaceStorage, ResumeOptions } from "./resumable.ts";
export { typed } from "./typed.ts";
export type {
  HeardOf,
  JoinArguments,
  PresenceEvents,
  PresentEntry,
  Received,
  Sent,
  TypedChannel,
  TypedPush,
  TypedSocket,
} from "./typed.ts";
export { sendReceipts } from "./receipts.ts";
export type { ReceivingChannel } from "./receipts.ts";
