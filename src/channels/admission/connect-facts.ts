import type { Cell } from "../../process/internal.ts";
import type { Attempt } from "../transport/attempt.ts";
import type { ConnectInfo } from "../endpoint-options.ts";

/** What is left of an attempt that has succeeded, the network it is counted as: the request is let go. */
export class LetIn {
  readonly network: string | undefined;
  constructor(network: string | undefined) {
    this.network = network;
  }
}

/** What `connect` is told, read only as far as it asks. */
export class ConnectFacts implements ConnectInfo {
  readonly #attempt: Attempt;
  readonly #cell: Cell;

  constructor(attempt: Attempt, cell: Cell) {
    this.#attempt = attempt;
    this.#cell = cell;
  }

  get headers(): Headers {
    return this.#attempt.headers;
  }
  get remoteAddress(): string {
    return this.#attempt.remoteAddress;
  }
  get remotePort(): number {
    return this.#attempt.remotePort;
  }
  get url(): URL {
    return this.#attempt.url;
  }
  get authToken(): string | undefined {
    return this.#attempt.authToken;
  }
  get params(): Attempt["params"] {
    return this.#attempt.params;
  }
  get signal(): AbortSignal {
    return this.#cell.signal;
  }
}

/** The assigns of a connection are one for all its channels: a plain object is copied and frozen, so that none changes them. */
export function isolated(assigns: unknown): unknown {
  if (typeof assigns !== "object" || assigns === null) return assigns;
  return Object.getPrototypeOf(assigns) === Object.prototype
    ? Object.freeze({ ...assigns })
    : assigns;
}
