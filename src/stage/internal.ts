export { ConsumerSupervisorEngine } from "./consumer-supervisor-engine.ts";
export type { ConsumerEngine } from "./consumer-engine.ts";
export type { ProducerEngine } from "./producer-engine.ts";
export { StageKind } from "./protocol.ts";
