import { SluiceError, type TimerEntry } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";

/** How much may be on its way to a log. */
export interface BacklogBounds {
  readonly maxAppends: number;
  readonly maxAppendBytes: number;
  readonly appendTimeoutMs: number;
}

/** What an endpoint says when nothing else is given. */
export const defaultBacklog: BacklogBounds = {
  maxAppends: 10_000,
  maxAppendBytes: 64 * 2 ** 20,
  appendTimeoutMs: 10_000,
};

interface Append {
  readonly dueMs: number;
  readonly late: () => void;
}

/** Appends of one endpoint that its log has not answered, bounded in number, bytes and time. */
export class Backlog {
  readonly #system: System;
  readonly #endpoint: string;
  readonly #bounds: BacklogBounds;
  /** In the order of their deadlines, which is that of their beginnings. */
  readonly #waiting: Set<Append> = new Set();
  #timer: TimerEntry<() => void> | undefined = undefined;
  /** Appends that the log has not answered, those included whose callers were told that it is late. */
  size = 0;
  bytes = 0;

  constructor(system: System, endpoint: string, bounds: BacklogBounds = defaultBacklog) {
    this.#system = system;
    this.#endpoint = endpoint;
    this.#bounds = bounds;
  }

  /**
   * Runs an append and answers as it does, or that it is late.
   *
   * @throws SLUICE_LOG_BUSY, SLUICE_TIMEOUT, as a rejection
   */
  run<T>(bytes: number, append: () => Promise<T>): Promise<T> {
    const { maxAppends, maxAppendBytes, appendTimeoutMs } = this.#bounds;
    if (this.size >= maxAppends) return Promise.reject(this.#busy("appends", maxAppends));
    if (this.size > 0 && this.bytes + bytes > maxAppendBytes)
      return Promise.reject(this.#busy("bytes", maxAppendBytes));
    this.size++;
    this.bytes += bytes;
    return new Promise<T>((resolve, reject) => {
      const waiting: Append = {
        dueMs: this.#system.runtime.now() + appendTimeoutMs,
        late: () => reject(late(appendTimeoutMs)),
      };
      this.#waiting.add(waiting);
      this.#timer ??= this.#system.after(appendTimeoutMs, this.#look);
      const ended = (): void => {
        this.size--;
        this.bytes -= bytes;
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) this.#cancel();
      };
      begun(append).then(
        (value) => {
          ended();
          resolve(value);
        },
        (error: Error) => {
          ended();
          reject(error);
        },
      );
    });
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const now = this.#system.runtime.now();
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > now) {
        this.#timer = this.#system.after(waiting.dueMs - now, this.#look);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.late();
    }
  };

  #cancel(): void {
    if (this.#timer !== undefined) this.#system.cancel(this.#timer);
    this.#timer = undefined;
  }

  #busy(unit: string, limit: number): SluiceError {
    const endpoint = this.#endpoint;
    const message = `the log of ${endpoint} has not answered ${limit} ${unit}: the broadcast is refused`;
    return new SluiceError("SLUICE_LOG_BUSY", message, { endpoint, limit });
  }
}

/** Called at once, so that appends take their place in the order of the calls. */
function begun<T>(append: () => Promise<T>): Promise<T> {
  try {
    return append();
  } catch (error) {
    return Promise.reject(error);
  }
}

function late(timeoutMs: number): SluiceError {
  const message = `the log did not answer an append in ${timeoutMs} ms; it may still have it`;
  return new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs });
}
