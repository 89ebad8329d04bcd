export { bus } from "./bus.ts";
export type { Bus, Listener } from "./bus.ts";
export type { Codec } from "./codec.ts";
export { SubscriptionQueue } from "./subscription-queue.ts";
