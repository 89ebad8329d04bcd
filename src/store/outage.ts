import type { Runtime } from "../runtime/internal.ts";
import { log } from "../telemetry/internal.ts";

/** Tells whoever runs the program that a server is away, and that it is back: once each. */
export class Outage {
  readonly #name: string;
  readonly #runtime: Runtime;
  #sinceMs: number | undefined = undefined;

  /** @param name of the server's kind */
  constructor(name: string, runtime: Runtime) {
    this.#name = name;
    this.#runtime = runtime;
  }

  /** It is not reached. */
  begin(why: unknown): void {
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#runtime.now();
    log("warning", `${this.#name} is not reached; it is tried until it is`, why);
  }

  /** It is reached. */
  end(): void {
    if (this.#sinceMs === undefined) return;
    const ms = Math.round(this.#runtime.now() - this.#sinceMs);
    this.#sinceMs = undefined;
    log("info", `${this.#name} is reached again, after ${ms} ms`);
  }
}
