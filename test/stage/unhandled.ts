import { expect } from "vitest";

/** The turns in which what is under way goes on, and the program is told of what nobody has taken. */
export async function turns(): Promise<void> {
  for (let left = 5; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Watches for promises whose rejection nobody has taken, and errors that nobody has caught; `none` waits until the
 * program would have been told.
 */
export function unhandled(): Disposable & { none(): Promise<void> } {
  const seen: unknown[] = [];
  const events = ["unhandledRejection", "uncaughtException"] as const;
  const others = events.map((event) => process.rawListeners(event));
  const note = (error: unknown): void => void seen.push(error);
  for (const event of events) process.removeAllListeners(event).on(event, note);
  return {
    async none() {
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
      expect(seen).toEqual([]);
    },
    [Symbol.dispose]() {
      for (const [index, event] of events.entries()) {
        process.removeListener(event, note);
        for (const listener of others[index]!) process.on(event, listener as () => void);
      }
    },
  };
}
