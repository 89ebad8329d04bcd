import type { Own } from "../../process/internal.ts";
import type { Membership } from "../socket/membership.ts";
import { Outgoing } from "../socket/outbox.ts";
import { frameForOne } from "../wire/frame.ts";
import { withMeta } from "../wire/payload.ts";

/** A client that is shown nothing is told so often where it stands: what it goes on from is not long past. */
const tellMs = 5_000;

/** Tells a client that it has seen all that it may see of its topic, up to an offset. */
export function tellPlace({ socket: { client }, topic }: Membership, offset: number): void {
  const payload = withMeta("{}", JSON.stringify({ offset }));
  const wire = client.serializer.broadcast(topic, "~place", payload);
  client.send(new Outgoing(frameForOne(wire), "kept"));
}

/**
 * How far the log of a topic has come while a channel hid what it said: told now and then. Otherwise a client that comes
 * back would ask for all of that again, and be told of a gap when it is too much.
 */
export class UntoldPlace {
  readonly #membership: Membership;
  readonly #own: Own;
  #offset = 0;
  #isArmed = false;

  constructor(membership: Membership, own: Own) {
    this.#membership = membership;
    this.#own = own;
  }

  /** A message was hidden. */
  hid(offset: number): void {
    this.#offset = offset;
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#own.after(tellMs, () => this.#tell());
  }

  /** A later one was not. */
  showed(): void {
    this.#offset = 0;
  }

  #tell(): void {
    this.#isArmed = false;
    if (this.#offset > 0 && this.#membership.state === "joined")
      tellPlace(this.#membership, this.#offset);
    this.#offset = 0;
  }
}
