import { handled } from "../../telemetry/internal.ts";
import type { Later } from "../definition.ts";
import type { Membership } from "./membership.ts";
import type { Incoming } from "../wire/serializer.ts";

/** The answer to one event of a client: the first word counts. */
export class LaterReply implements Later<unknown> {
  readonly #membership: Membership;
  #incoming: Incoming | undefined;
  /** When the event was taken up, if anybody wants to know. */
  readonly #sinceMs: number | undefined;

  /** @param isKnown is it an event of the contract? What else clients say is told to nobody. */
  constructor(membership: Membership, incoming: Incoming, isKnown: boolean) {
    this.#membership = membership;
    this.#incoming = incoming;
    this.#sinceMs =
      isKnown && handled.active ? membership.socket.world.system.runtime.now() : undefined;
  }

  /** @throws SLUICE_PAYLOAD_REFUSED */
  reply(reply: unknown): void {
    this.#answer("ok", reply);
  }

  /** @throws SLUICE_PAYLOAD_REFUSED */
  refuse(reason: object): void {
    this.#answer("error", reason);
  }

  #answer(status: "ok" | "error", response: unknown): void {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    const membership = this.#membership;
    if (!membership.isHeard) return;
    // One that cannot be sent is none: there may be another.
    membership.answer(incoming, status, response);
    this.#incoming = undefined;
    this.#tell(incoming.event, status);
  }

  #tell(event: string, status: "ok" | "error"): void {
    if (this.#sinceMs === undefined || !handled.active) return;
    const { definition, socket } = this.#membership;
    const { endpoint, pattern } = definition;
    const durationMs = socket.world.system.runtime.now() - this.#sinceMs;
    handled.emit({ endpoint, pattern, event, status, durationMs });
  }
}
