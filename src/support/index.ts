export { SluiceError } from "./errors.ts";
export type { Addressable, ErrorCode, ErrorDetails } from "./errors.ts";
export type { ExitReason } from "./exit-reason.ts";
