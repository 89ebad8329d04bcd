import { Process } from "../process/index.ts";
import { cellOf } from "../process/internal.ts";
import { directory } from "./directory.ts";
import { EndpointEngine } from "./endpoint-engine.ts";
import type { BoundAddress, EndpointOptions, EndpointServer } from "./endpoint-options.ts";
import { HttpListener } from "./http-listener.ts";

const loopback = "127.0.0.1";

/** The server of an endpoint: its message is `address`, its children are the sockets. */
export class EndpointProcess extends Process implements EndpointServer {
  readonly #options: EndpointOptions<never>;
  readonly #engine: EndpointEngine;
  readonly #listener: HttpListener;

  constructor(key: string, options: EndpointOptions<never>, definitions: readonly object[]) {
    super();
    const cell = cellOf(this);
    if (definitions.length > 0) cell.system.get(directory).record(key).define(definitions);
    this.#options = options;
    this.#engine = new EndpointEngine(cell, key, options);
    this.#listener = new HttpListener(key, this.#engine, options.server, options.routes);
    cell.engine = this.#engine;
    this.#engine.listeners.push(this.#listener);
  }

  protected override async init(): Promise<void> {
    const { port, host = loopback } = this.#options;
    await this.#listener.open(port, host);
  }

  protected override terminate(): Promise<void> {
    return this.#engine.close();
  }

  /** Where it listens. */
  address(): BoundAddress {
    return this.#listener.address();
  }
}
