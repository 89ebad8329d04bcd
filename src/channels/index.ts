// Contracts: what may be said on which topic
export type {
  AnyTopic,
  Broadcast,
  ContractOf,
  HistoryNotDeclared,
  HistoryTopic,
  InOf,
  JoinParams,
  JoinReply,
  NotWithHistory,
  OutOf,
  PayloadOf,
  Position,
  ReplyOf,
  Resumption,
  Say,
  TopicContract,
  TopicMap,
  TopicOf,
  Unsayable,
  WithHistory,
} from "./contract.ts";
export { binary, fields } from "./schema.ts";
export type { Schema, SchemaIssue, SchemaResult } from "./schema.ts";

// Channels
export { Refused } from "./refused.ts";
export type {
  AnySchema,
  Channel,
  ChannelCallbacks,
  ChannelDefinition,
  Fitting,
  Handlers,
  Heard,
  Hears,
  History,
  Joined,
  JoinResult,
  Keeps,
  Later,
  Schemas,
  SlowPolicy,
} from "./definition.ts";

// Endpoints
export { endpoint } from "./endpoint.ts";
export type { Endpoint } from "./endpoint.ts";
export type {
  BoundAddress,
  ConnectInfo,
  EndpointBase,
  EndpointOptions,
  EndpointServer,
  GivenServer,
  LongPollOptions,
  OwnServer,
  Route,
  SocketOptions,
} from "./endpoint-options.ts";
export type { HistoryEntry } from "./history/history-entry.ts";
export type {
  HistoryLogOptions,
  HistoryPattern,
  HistoryServer,
} from "./history/history-options.ts";
export type { DrainOptions } from "./server/drain-batches.ts";
export { defaultLimits } from "./limits.ts";
export type { Limits } from "./limits.ts";
export type { OriginOptions } from "./admission/origin.ts";
export type { Params } from "./admission/params.ts";

// Tokens
export { tokens } from "./admission/tokens.ts";
export type { TokenOptions, Tokens, Verified } from "./admission/tokens.ts";
