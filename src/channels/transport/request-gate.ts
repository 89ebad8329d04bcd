import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";

/** Takes what is its own, and says whether it did. */
export interface Gatekeeper {
  request(request: IncomingMessage, response: ServerResponse): boolean;
  upgrade(request: IncomingMessage, line: Duplex, head: Buffer): boolean;
}

type Emit = EventEmitter["emit"];

/** One for each server, however many endpoints come and go on it. */
const gates: WeakMap<Server | SecureServer, Gate> = new WeakMap();

/**
 * Puts a keeper before all listeners of a server that is somebody else's, those that came before and those to come: what it
 * takes never reaches them, and what it leaves reaches them as ever. A framework answers whatever it hears, and so would
 * answer what is ours as well.
 *
 * @returns what lets the keeper go
 */
export function keepGate(server: Server | SecureServer, keeper: Gatekeeper): () => void {
  let gate = gates.get(server);
  if (gate === undefined) gates.set(server, (gate = new Gate(server)));
  gate.keepers.add(keeper);
  return () => {
    gate.keepers.delete(keeper);
    if (gate.keepers.size === 0 && gate.remove()) gates.delete(server);
  };
}

class Gate {
  readonly keepers: Set<Gatekeeper> = new Set();
  readonly #server: { emit: Emit };
  /** What the server had of its own before. */
  readonly #own: PropertyDescriptor | undefined;
  readonly #emit: Emit;

  constructor(server: { emit: Emit }) {
    const { keepers } = this;
    const { emit } = server;
    this.#server = server;
    this.#own = Object.getOwnPropertyDescriptor(server, "emit");
    this.#emit = function (this: EventEmitter, event: string | symbol, ...args: unknown[]) {
      for (const keeper of keepers) if (isTaken(keeper, event, args)) return true;
      return emit.apply(this, [event, ...args]);
    } as Emit;
    server.emit = this.#emit;
  }

  /** Whoever has put something before it since keeps that, and the open gate behind it. */
  remove(): boolean {
    if (this.#server.emit !== this.#emit) return false;
    if (this.#own === undefined) Reflect.deleteProperty(this.#server, "emit");
    else Object.defineProperty(this.#server, "emit", this.#own);
    return true;
  }
}

function isTaken(keeper: Gatekeeper, event: string | symbol, args: readonly unknown[]): boolean {
  if (event === "request")
    return keeper.request(args[0] as IncomingMessage, args[1] as ServerResponse);
  if (event !== "upgrade") return false;
  return keeper.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer);
}
