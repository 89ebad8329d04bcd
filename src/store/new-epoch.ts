import type { Runtime } from "../runtime/internal.ts";

/** The name of a life: 75 bits in 15 letters and digits. */
export function newEpoch(runtime: Runtime): string {
  const part = (): string => Math.floor(runtime.random() * 32 ** 5).toString(32);
  return Array.from({ length: 3 }, () => part().padStart(5, "0")).join("");
}
