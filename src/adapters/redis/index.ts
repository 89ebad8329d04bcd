export { redisAdapter } from "./redis-adapter.ts";
export type { RedisAdapterOptions } from "./redis-adapter.ts";
export { redisLog } from "./redis-log.ts";
export type { RedisLogOptions } from "./redis-log.ts";
