import type { System } from "./system.ts";
import { version } from "./version.ts";

/** What runs at this moment, and so where free functions work: a callback of a process, or a task beside it. */
export interface Scope {
  readonly system: System;
  /** What a wait in it takes for its signal when it is given none. */
  readonly scopeSignal: AbortSignal;
}

/** What all copies of the package in one thread share. */
interface Thread {
  readonly version: string;
  readonly path: string;
  /** What runs now; `undefined` outside of processes, and after the first `await` of a callback. */
  running: Scope | undefined;
  /** The process whose object is being made, for the constructor of `Process`. */
  making: object | undefined;
  /** Where free functions work when no callback runs. */
  system: System | undefined;
}

/** Where this copy of the package is. */
export const path: string = import.meta.url;
const shared = globalThis as { [key: symbol]: Thread | undefined };

/** The record of this thread, made by whichever copy of the package comes first. */
export const thread: Thread = (shared[Symbol.for("sluice.thread")] ??= {
  version,
  path,
  running: undefined,
  making: undefined,
  system: undefined,
});
