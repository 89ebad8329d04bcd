import { thread, type System } from "../runtime/internal.ts";
import { MemoryLog, type MemoryLogOptions } from "./memory-log.ts";

const never = new AbortController().signal;

/** A memory log of a system, whichever is the current one. */
export function memoryLogIn<E>(system: System, options: MemoryLogOptions<E>): MemoryLog<E> {
  const outer = thread.running;
  thread.running = { system, scopeSignal: never };
  try {
    return new MemoryLog(options);
  } finally {
    thread.running = outer;
  }
}
