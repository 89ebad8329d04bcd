export { natsAdapter } from "./nats-adapter.ts";
export type { NatsAdapterOptions } from "./nats-adapter.ts";
