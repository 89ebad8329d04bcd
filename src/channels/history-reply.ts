import type { Position } from "./contract.ts";
import { textFrame } from "./frame.ts";
import { newest, type Placed } from "./history.ts";
import type { Membership } from "./membership.ts";
import { Outgoing } from "./outbox.ts";
import { broadcastText, encodePayload, withMeta, type Incoming } from "./serializer.ts";

/** What the reply's `"~"` says beside `recent`, with some room to spare. */
const metaBytes = 128;

/**
 * Answers a join on a topic with history: the reply says where the client stands, and holds the past it asked for or is
 * followed by what it missed, as its channel lets it see it. Nothing is said in between, and nothing at all when any of
 * it fails. Of a past that is too large for one client, it gets the newest.
 */
export function replyWithHistory(
  membership: Membership,
  { joinRef, ref }: Incoming,
  reply: unknown,
  since: Position | undefined,
  channel: unknown,
): void {
  const { topic, definition, socket } = membership;
  const { limits, record } = socket.world;
  if (reply !== undefined && (typeof reply !== "object" || reply === null || Array.isArray(reply)))
    throw new TypeError(
      `the reply to a join of ${definition.pattern}, which has history, must be an object`,
    );
  const json = encodePayload(topic, "phx_reply", { ...reply }, limits);
  const maxBytes = Math.min(limits.maxPayloadBytes, limits.maxPendingBytes) / 2;
  const room = limits.maxPayloadBytes - Buffer.byteLength(json) - metaBytes;
  const { histories } = record;
  const past = histories.handover(topic, definition.history!, since, maxBytes);

  /** As the channel lets its client see it; nothing for what it hides. */
  const seen = ({ event, json: said }: Placed): string | undefined => {
    const see = definition.interceptor(event);
    if (see === undefined) return said;
    const payload = see(JSON.parse(said), channel);
    return payload === undefined ? undefined : encodePayload(topic, event, payload, limits);
  };
  const texts = (
    all: readonly Placed[],
    text: (past: Placed, json: string) => string,
  ): { readonly text: string; readonly bytes: number }[] =>
    all.flatMap((one) => {
      const shown = seen(one);
      if (shown === undefined) return [];
      const whole = text(one, shown);
      return [{ text: whole, bytes: Buffer.byteLength(whole) + 1 }];
    });

  const recent =
    past.recent &&
    texts(past.recent, ({ event, offset }, said) => {
      const payload = withMeta(said, JSON.stringify({ offset }));
      return `{"event":${JSON.stringify(event)},"payload":${payload}}`;
    });
  const missed = texts(past.replay, ({ event, offset }, said) =>
    broadcastText(topic, event, said, { offset }),
  );
  const replay = newest(missed, maxBytes);
  const isCut = replay.length < missed.length && "status" in past.place;
  const place =
    isCut && past.place.status === "resumed" ? { ...past.place, status: "gap" } : past.place;
  const fitting = recent && newest(recent, Math.min(maxBytes, room)).map(({ text }) => text);
  const tail = fitting === undefined ? "}" : `,"recent":[${fitting.join()}]}`;
  const meta = JSON.stringify(place).slice(0, -1) + tail;
  membership.replyText(joinRef, ref, "ok", withMeta(json, meta));
  for (const { text } of replay) socket.client.send(new Outgoing(textFrame(text), "kept"));
}
