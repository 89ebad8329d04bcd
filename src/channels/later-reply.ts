import type { Later } from "./definition.ts";
import type { Membership } from "./membership.ts";
import type { Incoming } from "./serializer.ts";

/** The answer to one event of a client: the first word counts. */
export class LaterReply implements Later<unknown> {
  readonly #membership: Membership;
  #incoming: Incoming | undefined;

  constructor(membership: Membership, incoming: Incoming) {
    this.#membership = membership;
    this.#incoming = incoming;
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
    membership.reply(incoming.joinRef, incoming.ref, status, response);
    this.#incoming = undefined;
    membership.socket.freer(membership);
  }
}
