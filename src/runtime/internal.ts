export { System, currentSystem, thread } from "./system.ts";
export type { Scope, Slot, Token } from "./system.ts";
export type { Runnable } from "./run-queue.ts";
export type { Alarm, Runtime } from "./runtime.ts";
export { version } from "./version.ts";
