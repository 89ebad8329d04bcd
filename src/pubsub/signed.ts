import { Signer, proofLength } from "../support/internal.ts";
import type { Runtime } from "../runtime/internal.ts";
import { isOwn, open, seal, type Envelope, type Sealing } from "./envelope.ts";
import { Replays } from "./replays.ts";

/** Clocks of nodes, and the ways between them, may differ by this much. */
const freshMs = 60_000;
/** A proof, when it was made, and what it proves. */
const form = /^[\w-]{49}([0-9a-z]{1,11})\n/;

/** Is it of a node that signs? */
export function looksSigned(text: string): boolean {
  return form.test(text);
}

/** Envelopes that nodes with the same secret believe each other, once, and while they are fresh. */
export class Signed implements Sealing {
  readonly #signer: Signer;
  readonly #from: string;
  readonly #runtime: Runtime;
  readonly #replays: Replays = new Replays(freshMs);

  /** @param from the life of this node @throws SLUICE_INVALID_OPTION where there is nothing to sign with */
  constructor(secrets: readonly string[], from: string, runtime: Runtime) {
    this.#signer = new Signer(secrets, "between nodes");
    this.#from = from;
    this.#runtime = runtime;
  }

  seal(envelope: Envelope): string {
    const proven = `${Math.floor(this.#runtime.wallNow()).toString(36)}\n${seal(envelope)}`;
    return this.#signer.sign(proven) + proven;
  }

  open(text: string): Envelope | string | null {
    const stamp = form.exec(text);
    if (stamp === null) return "not signed";
    const sealed = text.slice(stamp[0].length);
    // What this node has said itself and comes back is let go whatever it says: nothing to be proven.
    const own = isOwn(sealed, this.#from) ? open(sealed) : undefined;
    if (typeof own === "object" && own?.kind.startsWith("~") === false) return own;
    if (!this.#signer.verifies(text.slice(0, proofLength), text.slice(proofLength)))
      return "signed with no secret of this node";
    const envelope = open(sealed);
    if (envelope === null || typeof envelope === "string") return envelope;
    const [atMs, nowMs] = [Number.parseInt(stamp[1]!, 36), this.#runtime.wallNow()];
    if (Math.abs(nowMs - atMs) > freshMs) return `signed more than ${freshMs} ms ago or ahead`;
    const { from, seq } = envelope;
    return this.#replays.isFirst(from, seq, atMs, nowMs) ? envelope : "said before";
  }
}
