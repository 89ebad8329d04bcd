// Data structures
export { Deque } from "./deque.ts";
export { DemandBuckets } from "./demand-buckets.ts";
export type { DemandEntry } from "./demand-buckets.ts";
export { firstPlace } from "./first-place.ts";
export { keepShape } from "./keep-shape.ts";
export { TokenBucket, refilled, suffices, waitMsFor } from "./token-bucket.ts";
export { TimerWheel } from "./timer-wheel.ts";
export type { TimerEntry } from "./timer-wheel.ts";

// Errors and exits
export { SluiceError, checkInteger, invalidOption } from "./errors.ts";
export type { Addressable } from "./errors.ts";
export { describe, describeReason, isOrderly } from "./exit-reason.ts";
export type { ExitReason } from "./exit-reason.ts";

// Who may speak
export { isLoopback } from "./loopback.ts";
export { checkSecrets } from "./secrets.ts";
export { Signer, proofLength } from "./signer.ts";
