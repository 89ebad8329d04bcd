export { bus } from "./bus.ts";
export type { Bus, Gap, Listener, Uplink } from "./bus.ts";
export { jsonCodec, messageRefused } from "./codec.ts";
export type { Codec } from "./codec.ts";
export { SubscriptionQueue } from "./subscription-queue.ts";
