import type { Limits } from "../limits.ts";
import type { SocketProcess } from "../socket/socket-process.ts";

/** The connected sockets of an endpoint, by the id that `id` gave them. */
export class SocketIds {
  readonly #byId: Map<string, Set<SocketProcess>> = new Map();
  /** Whose `connect` runs in this very turn: most need no more than that. */
  #entering: SocketProcess | undefined = undefined;
  /** The ids that were disconnected in it: its `connect` may have looked before. */
  #disconnected: Set<string> | undefined = undefined;
  /** The same of those whose `connect` goes on. */
  readonly #connecting: Map<SocketProcess, Set<string> | undefined> = new Map();
  readonly #maxPerId: number;

  constructor(limits: Limits) {
    this.#maxPerId = limits.maxConnectionsPerUser;
  }

  /** May one more with this id come? */
  hasRoomFor(id: string | undefined): boolean {
    return id === undefined || (this.#byId.get(id)?.size ?? 0) < this.#maxPerId;
  }

  /** Its `connect` begins. */
  connecting(socket: SocketProcess): void {
    this.#entering = socket;
    this.#disconnected = undefined;
  }

  /** Its `connect` goes on beyond this turn. */
  waits(socket: SocketProcess): void {
    this.#connecting.set(socket, this.#disconnected);
    this.#entering = this.#disconnected = undefined;
  }

  /** Was the id that its `connect` led to disconnected since that began? */
  wasDisconnected(socket: SocketProcess): boolean {
    const { id } = socket;
    const ids = socket === this.#entering ? this.#disconnected : this.#connecting.get(socket);
    return id !== undefined && ids?.has(id) === true;
  }

  add(socket: SocketProcess): void {
    const { id } = socket;
    this.#connected(socket);
    if (id === undefined) return;
    const sockets = this.#byId.get(id);
    if (sockets === undefined) this.#byId.set(id, new Set([socket]));
    else sockets.add(socket);
  }

  remove(socket: SocketProcess): void {
    const { id } = socket;
    this.#connected(socket);
    if (id === undefined) return;
    const sockets = this.#byId.get(id);
    if (sockets?.delete(socket) === true && sockets.size === 0) this.#byId.delete(id);
  }

  /** Closes all sockets with an id. Their clients may come back, if they are let in. */
  disconnect(id: string): void {
    if (this.#entering !== undefined) (this.#disconnected ??= new Set()).add(id);
    for (const [socket, ids] of this.#connecting)
      if (ids === undefined) this.#connecting.set(socket, new Set([id]));
      else ids.add(id);
    for (const socket of this.#byId.get(id) ?? []) socket.client.close(1001, "disconnected");
  }

  /** Its `connect` has ended, however. */
  #connected(socket: SocketProcess): void {
    if (socket === this.#entering) this.#entering = this.#disconnected = undefined;
    else this.#connecting.delete(socket);
  }
}
