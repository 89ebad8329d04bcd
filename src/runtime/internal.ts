export { System, currentSystem } from "./system.ts";
export type { Slot, Token } from "./system.ts";
export { thread } from "./thread.ts";
export type { Scope } from "./thread.ts";
export { realRuntime } from "./real-runtime.ts";
export type { Runnable } from "./run-queue.ts";
export type { Alarm, Runtime } from "./runtime.ts";
export { version } from "./version.ts";
