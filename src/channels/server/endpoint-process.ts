import { Process } from "../../process/index.ts";
import { cellOf } from "../../process/internal.ts";
import { serving } from "../../telemetry/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import { directory } from "../directory.ts";
import { EndpointEngine } from "./endpoint-engine.ts";
import type { BoundAddress, EndpointOptions, EndpointServer } from "../endpoint-options.ts";
import { HttpListener } from "../transport/http-listener.ts";
import { MemoryListener } from "../transport/memory-listener.ts";

const loopback = "127.0.0.1";

/** The server of an endpoint: its message is `address`, its children are the sockets. */
export class EndpointProcess extends Process implements EndpointServer {
  readonly #key: string;
  readonly #options: EndpointOptions<never>;
  readonly #engine: EndpointEngine;
  #listener: HttpListener | MemoryListener | undefined = undefined;

  constructor(key: string, options: EndpointOptions<never>, definitions: readonly AnyDefinition[]) {
    super();
    const cell = cellOf(this);
    cell.system.get(directory).record(key).define(definitions);
    this.#key = key;
    this.#options = options;
    this.#engine = new EndpointEngine(cell, key, options);
    cell.engine = this.#engine;
  }

  /** Under a simulated Runtime there is no network: clients come in memory. */
  protected override async init(): Promise<void> {
    const { port, host = loopback, server, routes } = this.#options;
    const memory = new MemoryListener(this.#engine, host, port);
    this.#engine.listeners.push(memory);
    this.#listener = memory;
    if (!this.#engine.system.runtime.simulated) {
      const http = new HttpListener(this.#key, this.#engine, server, routes);
      this.#engine.listeners.push(http);
      this.#listener = http;
      await http.open(port, host);
    }
    if (serving.active) serving.emit({ endpoint: this.#key, url: this.#listener.bound?.url });
  }

  protected override terminate(): Promise<void> {
    return this.#engine.close();
  }

  /** Where it listens. */
  address(): BoundAddress {
    return this.#listener!.address();
  }
}
