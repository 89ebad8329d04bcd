import { SluiceError } from "../../support/internal.ts";
import type { Slot, System } from "../../runtime/internal.ts";
import type { EndpointEngine, Listening } from "../server/endpoint-engine.ts";
import type { BoundAddress } from "../endpoint-options.ts";
import { boundAddress } from "./http-request.ts";
import type { Mount } from "../admission/mount.ts";

/** The endpoints of a system that are reached without a network. */
export const memoryListeners: Slot<Set<MemoryListener>> = {
  key: "channels.memory",
  create: () => new Set(),
};

/** Where ports begin that nobody chose. */
const firstFreePort = 49_152;

/** Where an endpoint is reached from inside its own program: no port is opened, and the same checks are made. */
export class MemoryListener implements Listening {
  readonly engine: EndpointEngine;
  readonly #address: BoundAddress;
  readonly #listeners: Set<MemoryListener>;

  constructor(engine: EndpointEngine, host: string, port: number | undefined) {
    this.engine = engine;
    this.#listeners = engine.system.get(memoryListeners);
    const taken = new Set([...this.#listeners].map((other) => other.#address.port));
    let free = firstFreePort;
    while (taken.has(free)) free++;
    this.#address = boundAddress(host, port === undefined || port === 0 ? free : port);
    this.#listeners.add(this);
  }

  address(): BoundAddress {
    return this.#address;
  }

  get bound(): BoundAddress {
    return this.#address;
  }

  /** The mount that a URL leads to; its host and port are for the checks, and to choose among several endpoints. */
  mountAt(url: URL): Mount | undefined {
    return this.engine.mountAt(url.pathname);
  }

  close(): void {
    this.#listeners.delete(this);
  }

  end(): void {}
}

/** The endpoint of a system that a URL leads to: by its port, if one has it, else by its path. */
export function memoryListenerFor(
  listeners: Iterable<MemoryListener>,
  url: URL,
): MemoryListener | undefined {
  const fitting = [...listeners].filter((listener) => listener.mountAt(url) !== undefined);
  return fitting.find((listener) => String(listener.address().port) === url.port) ?? fitting[0];
}

/** Where an endpoint's mount is reached, by its only path or the one that is named. @throws SLUICE_NOT_SERVING */
export function memoryUrl(system: System, key: string, path?: string): URL {
  const listener = [...system.get(memoryListeners)].find(({ engine }) => engine.key === key);
  const [only, other] = listener?.engine.mounts.keys() ?? [];
  const mount = path ?? (other === undefined ? only : undefined);
  if (listener !== undefined && mount !== undefined)
    return new URL(`${listener.address().url.replace("http", "ws")}${mount}/websocket`);
  const why = listener === undefined ? "does not run here" : "has several mounts: name one";
  throw new SluiceError("SLUICE_NOT_SERVING", `${key} ${why}`, { endpoint: key });
}
