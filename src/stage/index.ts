// Stages
export { Producer } from "./producer.ts";
export type { ProducerOptions } from "./producer.ts";
export { ProducerConsumer } from "./producer-consumer.ts";
export type { ProducerConsumerOptions } from "./producer-consumer.ts";
export { Consumer } from "./consumer.ts";
export type { AcceptingOptions, ConsumerOptions } from "./consumer.ts";
export type { ConcurrencyOptions } from "./concurrency.ts";
export { consumerSupervisor } from "./consumer-supervisor.ts";
export type {
  ConsumerSupervisor,
  ConsumerSupervisorOptions,
  EventChild,
  EventChildInfo,
  EventProcessClass,
  TaskContext,
  TaskFunction,
} from "./consumer-supervisor.ts";
export type { CancelCause, Emitted } from "./stage-callbacks.ts";

// Shorthands
export { from } from "./from.ts";
export type { FromOptions, ProducerClass } from "./from.ts";
export { consumer, filter, flatMap, forEach, map, producer } from "./shorthands.ts";
export type { ConsumerClass, ProducerConsumerClass } from "./shorthands.ts";

// Subscriptions
export { resubscribe, subscribe } from "./subscribe.ts";
export type {
  Accepting,
  DemandWindow,
  Emitting,
  From,
  Source,
  Subscription,
  SubscriptionTerms,
  Subscriptions,
} from "./subscription.ts";
export type { DispatchTerms, SlowSubscriber } from "./dispatch-terms.ts";
export { demandDispatcher } from "./demand-dispatcher.ts";
export type { DemandOptions } from "./demand-dispatcher.ts";
export { broadcastDispatcher } from "./broadcast-dispatcher.ts";
export { partitionDispatcher } from "./partition-dispatcher.ts";
export type { PartitionOptions } from "./partition-dispatcher.ts";
export { keyedDispatcher } from "./keyed-dispatcher.ts";
export type { KeyedOptions } from "./keyed-dispatcher.ts";
export { fairDispatcher } from "./fair-dispatcher.ts";
export type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
export { bufferedCount, demandMode, setDemandMode } from "./demand-mode.ts";
export type { DemandMode } from "./demand-mode.ts";

// Completion
export { completed } from "./completed.ts";

// Topology
export { topology } from "./topology.ts";
export { stallDetector } from "./stall-detector.ts";
export type { Stall, StallDetector, StallDetectorOptions } from "./stall-detector.ts";
export type { Figures } from "../process/internal.ts";
export type { Topology, TopologyEdge, TopologyNode } from "./topology.ts";

// Iterables and streams
export { into } from "./into.ts";
export type { IntoOptions } from "./into.ts";
export type { WritableLike } from "./outflow.ts";
export { observe } from "./observe.ts";
export type { ObservableLike, Observed, Observer, ObserveOptions } from "./observe.ts";
export { readable } from "./readable.ts";
export type { ReadableOptions } from "./readable.ts";
export { stream } from "./stream.ts";
export type { Stream, StreamOptions, StreamReader } from "./stream.ts";
