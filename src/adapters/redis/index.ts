export { redisLog } from "./redis-log.ts";
export type { RedisLogOptions } from "./redis-log.ts";
export type { ServerLog, StoredLogOptions } from "../log/stored-log.ts";
