export { topic, topics } from "./topic.ts";
export type { Subscription, Topic } from "./topic.ts";
export { nodeName, pubsub } from "./pubsub.ts";
export type { PubSubOptions } from "./pubsub.ts";
export type { Adapter, Connection, ConnectionEvents } from "./adapter.ts";
