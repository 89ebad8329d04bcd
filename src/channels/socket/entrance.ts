import type { Cell } from "../../process/internal.ts";
import { log } from "../../telemetry/internal.ts";
import { ConnectFacts, LetIn, isolated } from "../admission/connect-facts.ts";
import type { Mount } from "../admission/mount.ts";
import { plainParams } from "../admission/params.ts";
import { Refused } from "../refused.ts";
import { tellRefused } from "../tell-refused.ts";
import type { Attempt, RefusalStatus } from "../transport/attempt.ts";
import { runCallback } from "./run-callback.ts";
import type { SocketProcess } from "./socket-process.ts";

/** Lets a connection in, or sends it away, as the callbacks of its mount and what there is room for say. */
export class Entrance {
  readonly #socket: SocketProcess;
  readonly #cell: Cell;
  readonly #mount: Mount;
  readonly #attempt: Attempt;

  constructor(socket: SocketProcess, cell: Cell, mount: Mount, attempt: Attempt) {
    this.#socket = socket;
    this.#cell = cell;
    this.#mount = mount;
    this.#attempt = attempt;
  }

  /** Whoever is handed the result returns it. */
  connect(): unknown {
    const attempt = this.#attempt;
    const { connect } = this.#mount.options;
    this.#mount.world.registry.connecting(this.#socket);
    const result = runCallback(
      this.#cell,
      () => connect(plainParams(attempt.params), new ConnectFacts(attempt, this.#cell)),
      (assigns) => this.#accept(assigns),
      (error) => {
        if (error instanceof Refused) return this.#refuse(403, "connect refused");
        log("error", `connect of ${this.#cell.pid} crashed`, error);
        return this.#refuse(500, "connect crashed");
      },
    );
    if (!attempt.isGone) {
      this.#mount.world.registry.waits(this.#socket);
      attempt.watch();
    }
    return result;
  }

  #accept(assigns: unknown): void {
    const socket = this.#socket;
    const attempt = this.#attempt;
    const { options, world, rights: desk } = this.#mount;
    socket.assigns = isolated(assigns);
    socket.id = options.id?.(assigns);
    if (socket.id !== undefined && typeof socket.id !== "string")
      throw new TypeError("id must return a string");
    const { registry } = world;
    if (registry.wasDisconnected(socket))
      return this.#refuse(403, "disconnected while it connected");
    if (!registry.hasRoomFor(socket.id)) return this.#refuse(503, "too many connections of one id");
    const rights = desk.open(socket, this.#cell);
    if (rights?.areOver === true) return this.#refuse(403, "no lifetime is left");
    const transport = attempt.accept(socket);
    this.#cell.note = new LetIn(attempt.network);
    if (transport === undefined) return this.#cell.stop("normal");
    socket.letIn(transport, attempt.serializer, rights);
    return registry.add(socket);
  }

  #refuse(status: RefusalStatus, reason: string): void {
    tellRefused("connection", reason);
    this.#attempt.refuse(status);
    this.#cell.stop("normal");
  }
}
