import { thread, type Scope } from "../runtime/internal.ts";

/** Begins `work` as what runs now, so that what it waits for ends with it; a throw is the rejection. */
export function startIn<T>(scope: Scope, work: () => T | PromiseLike<T>): Promise<T> {
  const outer = thread.running;
  thread.running = scope;
  const result = (async () => work())();
  thread.running = outer;
  return result;
}
