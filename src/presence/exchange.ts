import type { ReplicaMessage } from "./message.ts";
import type { PresenceState } from "./presence-state.ts";
import { noChanges, type Changes } from "./row.ts";

type Ask = Extract<ReplicaMessage, { kind: "ask" }>;
type Give = Extract<ReplicaMessage, { kind: "give" }>;

/** What somebody says to know of a replica. */
interface Claim {
  readonly clock: number;
  readonly holder: string;
}

/** A question on its way, of which there is one for each replica. */
interface Walk {
  readonly holder: string;
  ref: number;
  askedMs: number;
  /** How often the question in hand was asked. */
  tries: number;
  /** It goes by pages: behind which it is, and as of which clock they are. */
  page: { readonly at: number; readonly as: number } | undefined;
}

/** A question to a holder. */
export interface Question {
  readonly to: string;
  readonly ask: Ask;
}

const maxTries = 3;

/**
 * Anti-entropy: finds by the clocks of others what was missed, asks one of them for it, piece by piece, the next when the
 * last has come: so a newcomer is never flooded. A value: no timers, no I/O.
 */
export class Exchange {
  readonly #state: PresenceState;
  readonly #claims: Map<string, Claim> = new Map();
  readonly #walks: Map<string, Walk> = new Map();
  #ref = 0;

  constructor(state: PresenceState) {
    this.#state = state;
  }

  /** Questions that are not answered yet. */
  get open(): number {
    return this.#walks.size;
  }

  /** A beat says what its sender knows; `isUp` tells who counts: what is known of a replica that is down helps nobody. */
  note(
    holder: string,
    clocks: Iterable<readonly [string, number]>,
    isUp: (id: string) => boolean,
  ): void {
    for (const [replica, clock] of clocks) {
      if (replica === this.#state.self || !isUp(replica)) continue;
      if (clock <= this.#state.upTo(replica)) continue;
      const claim = this.#claims.get(replica);
      // Of what two know, the replica itself is asked, who knows what it removed.
      if (
        claim === undefined ||
        clock > claim.clock ||
        (clock === claim.clock && holder === replica)
      )
        this.#claims.set(replica, { clock, holder });
    }
  }

  /** What to ask now. Questions that were not answered in time are asked again, of others when one does not answer. */
  due(nowMs: number, timeoutMs: number): Question[] {
    const questions: Question[] = [];
    for (const [replica, walk] of this.#walks) {
      if (nowMs - walk.askedMs < timeoutMs) continue;
      if (++walk.tries > maxTries) this.#walks.delete(replica);
      else questions.push(this.#ask(replica, walk, nowMs));
    }
    for (const [replica, { clock, holder }] of this.#claims) {
      if (this.#walks.has(replica)) continue;
      this.#claims.delete(replica);
      if (clock <= this.#state.upTo(replica)) continue;
      const walk: Walk = { holder, ref: 0, askedMs: nowMs, tries: 1, page: undefined };
      this.#walks.set(replica, walk);
      questions.push(this.#ask(replica, walk, nowMs));
    }
    return questions;
  }

  /** Takes an answer, if it is to the question in hand; there may be a next one. */
  take(
    { from, ref, as, slice }: Give,
    nowMs: number,
  ): { readonly changes: Changes; readonly next: Question | undefined } {
    const { replica } = slice;
    const walk = this.#walks.get(replica);
    const nothing = { changes: noChanges, next: undefined };
    if (walk === undefined || walk.ref !== ref || walk.holder !== from) return nothing;
    if (slice.gone === undefined && slice.from !== (walk.page?.at ?? 0)) return nothing;
    const changes = this.#state.merge(slice);
    walk.page = slice.gone === undefined ? { at: slice.to, as: walk.page?.as ?? as } : undefined;
    if (slice.to >= (walk.page?.as ?? as) || slice.to === slice.from) {
      this.#walks.delete(replica);
      return { changes, next: undefined };
    }
    walk.tries = 1;
    return { changes, next: this.#ask(replica, walk, nowMs) };
  }

  /** Answers a question, with as much as fits; not at all when it knows no better. */
  answer({ ref, replica, since, page }: Ask, maxBytes: number): Give | undefined {
    const state = this.#state;
    const as = page?.as ?? state.upTo(replica);
    if (page === undefined && as <= since) return undefined;
    const isOwn = replica === state.self && page === undefined && since > 0;
    const slice =
      (isOwn ? state.delta(since, maxBytes) : undefined) ??
      state.page(replica, page?.at ?? 0, as, maxBytes);
    return slice === undefined ? undefined : { kind: "give", from: state.self, ref, as, slice };
  }

  /** A replica is gone: nothing is asked of it, or about it. */
  forget(replica: string): void {
    this.#claims.delete(replica);
    this.#walks.delete(replica);
    for (const [other, { holder }] of this.#claims)
      if (holder === replica) this.#claims.delete(other);
    for (const [other, { holder }] of this.#walks)
      if (holder === replica) this.#walks.delete(other);
  }

  #ask(replica: string, walk: Walk, nowMs: number): Question {
    walk.ref = ++this.#ref;
    walk.askedMs = nowMs;
    const { ref, page } = walk;
    const since = this.#state.upTo(replica);
    return {
      to: walk.holder,
      ask: { kind: "ask", from: this.#state.self, ref, replica, since, page },
    };
  }
}
