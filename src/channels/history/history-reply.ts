import type { CaughtUp } from "./catch-up.ts";
import { frameForOne } from "../wire/frame.ts";
import type { Placed } from "./history-entry.ts";
import type { Membership } from "../socket/membership.ts";
import { Outgoing } from "../socket/outbox.ts";
import { tellPlace } from "./untold-place.ts";
import { encodeObject, isBytes, withMeta } from "../wire/payload.ts";
import type { Incoming, Wire } from "../wire/serializer.ts";

/** What the reply's `"~"` says beside `recent`, with some room to spare. */
const metaBytes = 192;

interface Shown<W = Wire> {
  readonly text: W;
  readonly bytes: number;
  readonly offset: number;
}

/**
 * Answers a join on a topic with history: the reply says where the client stands, and holds the past it asked for or is
 * followed by what it missed, as its channel lets it see it. Nothing is said in between, and nothing at all when any of
 * it fails. Of a past that is too large for one client, it gets the newest. Returns how its place follows on `since`, and
 * how many messages were sent again.
 */
export function replyWithHistory(
  membership: Membership,
  { joinRef, ref }: Incoming,
  reply: unknown,
  { end, status: found, after, entries }: CaughtUp,
  channel: unknown,
  maxBytes: number,
): { readonly status: CaughtUp["status"]; readonly messages: number } {
  const { topic, definition, socket } = membership;
  const { limits } = socket.world;
  const { serializer } = socket.client;
  if (
    reply !== undefined &&
    !isBytes(reply) &&
    (typeof reply !== "object" || reply === null || Array.isArray(reply))
  )
    throw new TypeError(
      `the reply to a join of ${definition.pattern}, which has history, must be an object`,
    );
  const json = encodeObject(topic, "phx_reply", isBytes(reply) ? reply : { ...reply }, limits);
  const room = limits.maxPayloadBytes - Buffer.byteLength(json) - metaBytes;

  /** As the channel lets its client see it; nothing for what it hides. */
  const seen = ({ entry: { event, payload } }: Placed): string | undefined => {
    const see = definition.interceptor(event);
    if (see === undefined) return payload;
    const shown = see(JSON.parse(payload), channel);
    return shown === undefined ? undefined : encodeObject(topic, event, shown, limits);
  };
  const show = <W extends Wire>(text: (past: Placed, json: string) => W): Shown<W>[] =>
    entries.flatMap((one) => {
      const said = seen(one);
      if (said === undefined) return [];
      const whole = text(one, said);
      return [{ text: whole, bytes: Buffer.byteLength(whole) + 1, offset: one.offset }];
    });

  if (found === undefined) {
    const all = show(({ entry: { event }, offset }, said) => {
      const payload = withMeta(said, JSON.stringify({ offset }));
      return `{"event":${JSON.stringify(event)},"payload":${payload}}`;
    });
    const recent = newest(all, Math.min(maxBytes, room)).map(({ text }) => text);
    const meta = `${JSON.stringify(end).slice(0, -1)},"recent":[${recent.join()}]}`;
    membership.replyText(joinRef, ref, "ok", withMeta(json, meta));
    return { status: undefined, messages: 0 };
  }
  const missed = show(({ entry: { event }, offset }, said) =>
    serializer.broadcast(topic, event, withMeta(said, JSON.stringify({ offset }))),
  );
  const replay = newest(missed, maxBytes);
  const cut = missed.length - replay.length;
  const status = cut > 0 && found === "resumed" ? "gap" : found;
  const place =
    status === "resumed"
      ? { ...end, status }
      : { ...end, status, after: cut > 0 ? missed[cut - 1]!.offset : after };
  membership.replyText(joinRef, ref, "ok", withMeta(json, JSON.stringify(place)));
  for (const { text } of replay) socket.client.send(new Outgoing(frameForOne(text), "kept"));
  // Of what it may not see there is nothing to ask for again.
  if ((replay.at(-1)?.offset ?? after) < end.offset) tellPlace(membership, end.offset);
  return { status, messages: replay.length };
}

/** As many of the newest as fit. */
function newest<W>(all: readonly Shown<W>[], maxBytes: number): readonly Shown<W>[] {
  let bytes = 0;
  let first = all.length;
  while (first > 0 && (bytes += all[first - 1]!.bytes) <= maxBytes) first--;
  return all.slice(first);
}
