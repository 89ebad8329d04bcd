export { memoryLogIn } from "./memory-log-in.ts";
export { checkBounds } from "./log-input.ts";
export type { Batch, Ears, LogStore, Question } from "./log-store.ts";
export { newEpoch } from "./new-epoch.ts";
export { StoredLog } from "./stored-log.ts";
