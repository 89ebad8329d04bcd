export { memoryLogIn } from "./memory-log-in.ts";
export { checkBounds } from "./log-input.ts";
export type { Batch, Ears, LogStore, Question } from "./log-store.ts";
export { Outage } from "./outage.ts";
export { serverKeep } from "./server-keep.ts";
export { newEpoch } from "./new-epoch.ts";
export { StoredLog, storedLogOptions } from "./stored-log.ts";
