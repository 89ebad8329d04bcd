import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";

/** Takes what is his own, and says whether he did. */
export interface Gatekeeper {
  request(request: IncomingMessage, response: ServerResponse): boolean;
  upgrade(request: IncomingMessage, line: Duplex, head: Buffer): boolean;
}

type Emit = EventEmitter["emit"];

/**
 * Stands before all listeners of a server that is somebody else's, those that came before it and those to come: what its
 * keeper takes never reaches them, and what he leaves reaches them as ever. A framework answers whatever it hears, and so
 * would answer what is ours as well.
 *
 * @returns what opens the gate for good
 */
export function gate(server: Server | SecureServer, keeper: Gatekeeper): () => void {
  const emitter: { emit: Emit } = server;
  const wasOwn = Object.hasOwn(emitter, "emit");
  const { emit } = emitter;
  let isOpen = false;
  const guarded = function (
    this: EventEmitter,
    event: string | symbol,
    ...args: unknown[]
  ): boolean {
    if (!isOpen && isTaken(keeper, event, args)) return true;
    return emit.apply(this, [event, ...args]);
  } as Emit;
  emitter.emit = guarded;
  return () => {
    isOpen = true;
    // Whoever has put something before it since keeps that, and the open gate behind it.
    if (emitter.emit !== guarded) return;
    if (wasOwn) emitter.emit = emit;
    else Reflect.deleteProperty(emitter, "emit");
  };
}

function isTaken(keeper: Gatekeeper, event: string | symbol, args: readonly unknown[]): boolean {
  if (event === "request")
    return keeper.request(args[0] as IncomingMessage, args[1] as ServerResponse);
  if (event !== "upgrade") return false;
  return keeper.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer);
}
