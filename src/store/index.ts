export { firstOffset } from "./log.ts";
export type { Log, LogBounds, Position, Read, Slice, Start } from "./log.ts";
export { MemoryLog } from "./memory-log.ts";
export type { MemoryLogOptions } from "./memory-log.ts";
export type { ServerLog, StoredLogOptions } from "./stored-log.ts";
