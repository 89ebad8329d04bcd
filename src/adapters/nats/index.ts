export { natsAdapter } from "./nats-adapter.ts";
export type { NatsAdapterOptions } from "./nats-adapter.ts";
export { natsLog } from "./nats-log.ts";
export type { NatsLogOptions } from "./nats-log.ts";
