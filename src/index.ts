export * from "./process/index.ts";
export * from "./stage/index.ts";
export { SluiceError } from "./support/index.ts";
export type { Addressable, ErrorCode, ErrorDetails, ExitReason } from "./support/index.ts";
export { currentSystem } from "./runtime/index.ts";
export type { System } from "./runtime/index.ts";
