// What a socket does with a message: Phoenix's rules as one table, from values to a value.
import type { Incoming, WireRef } from "../wire/serializer.ts";

/** A topic that a socket has joined, as far as the rules ask. */
export interface Place {
  /** Names the join that made it; what carries another is stale. */
  readonly joinRef: WireRef;
  /** It has ended, and is only kept until its process is gone. */
  readonly ended: boolean;
}

/** What a socket has joined, by topic. */
export interface Joined<P> {
  readonly size: number;
  get(topic: string): P | undefined;
}

/** What a message means to a socket. */
export type Decision<P extends Place> =
  /** Answered by the socket itself. */
  | { readonly kind: "heartbeat" }
  /** A channel is to be started; the one it takes the place of is to be stopped first. */
  | { readonly kind: "join"; readonly replaces: P | undefined }
  /** For the channel that was joined. */
  | { readonly kind: "deliver"; readonly place: P }
  /** The channel that was joined is to end. */
  | { readonly kind: "leave"; readonly place: P }
  /** Nothing to leave: answered with ok. */
  | { readonly kind: "left" }
  /** Of an earlier join: no answer. */
  | { readonly kind: "stale" }
  /** Nobody is there for the topic: an error reply, without a join ref. */
  | { readonly kind: "unmatched" }
  /** One more than a socket may join. */
  | { readonly kind: "tooMany" };

/**
 * Decides by what was joined before. `isRouted` tells whether there is a channel for the topic of a join at all. A message without a
 * join ref is for whatever is joined now (R60).
 */
export function decide<P extends Place>(
  { joinRef, topic, event }: Incoming,
  places: Joined<P>,
  isRouted: boolean,
  maxChannels: number,
): Decision<P> {
  if (topic === "phoenix" && event === "heartbeat") return { kind: "heartbeat" };
  const known = places.get(topic);
  const place = known?.ended === true ? undefined : known;
  if (event === "phx_join") {
    if (place !== undefined) return { kind: "join", replaces: place };
    if (!isRouted) return { kind: "unmatched" };
    // One that has ended still has its process: whoever rejoins takes its place, so it is not counted twice.
    if (known === undefined && places.size >= maxChannels) return { kind: "tooMany" };
    return { kind: "join", replaces: known };
  }
  const leaves = event === "phx_leave";
  if (place === undefined) return { kind: leaves ? "left" : "unmatched" };
  if (joinRef !== null && joinRef !== place.joinRef) return { kind: "stale" };
  return { kind: leaves ? "leave" : "deliver", place };
}
