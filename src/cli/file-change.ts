import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";

/** Waits in the time of the one who injects it; rejects when the signal aborts. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Tells when something may have happened to the file at `path`: by a watch on its folder, so that a file that is
 * replaced or not yet there is seen too, and at the latest after `pollMs`, for the file systems and folders where a
 * watch sees nothing.
 */
export class FileChange {
  readonly #sleep: Sleep;
  readonly #signal: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #waiting: AbortController | undefined;
  readonly #wake = (): void => this.#waiting?.abort();

  constructor(path: string, sleep: Sleep, signal: AbortSignal) {
    this.#sleep = sleep;
    this.#signal = signal;
    this.#watcher = watchFolder(path, () => {
      this.#changed = true;
      this.#wake();
    });
    signal.addEventListener("abort", this.#wake);
  }

  /** Resolves at a change since the last call, after `pollMs`, or when the signal aborts. */
  async next(pollMs: number): Promise<void> {
    if (!this.#changed) await this.#pause(pollMs);
    this.#changed = false;
  }

  /** Resolves after `ms`, whatever changes, or when the signal aborts. */
  async rest(ms: number): Promise<void> {
    if (!this.#signal.aborted)
      await this.#sleep(ms, this.#signal).catch((error: unknown) =>
        rethrowUnless(this.#signal, error),
      );
  }

  /** Ends the watch. */
  close(): void {
    this.#watcher?.close();
    this.#signal.removeEventListener("abort", this.#wake);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#signal.aborted) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    await this.#sleep(ms, waiting.signal).catch((error: unknown) =>
      rethrowUnless(waiting.signal, error),
    );
    this.#waiting = undefined;
  }
}

function rethrowUnless(signal: AbortSignal, error: unknown): void {
  if (!signal.aborted) throw error;
}

/** No watch is possible on a folder that is not there, or where the machine has no watches left: then there is the poll. */
function watchFolder(path: string, changed: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(resolve(path)), { persistent: false }, (_event, file) => {
      if (file === null || file === name) changed();
    });
    return watcher.on("error", () => watcher.close());
  } catch {
    return undefined;
  }
}
