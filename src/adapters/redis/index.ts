export { redisLog } from "./redis-log.ts";
export type { RedisLogOptions } from "./redis-log.ts";
