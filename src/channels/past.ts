import type { Position } from "./contract.ts";
import { textFrame } from "./frame.ts";
import type { Handover, Placed } from "./history.ts";
import type { Membership } from "./membership.ts";
import { Outgoing } from "./outbox.ts";
import { encodeBroadcast, type Incoming } from "./serializer.ts";

/**
 * Answers a join on a topic with history: the reply says where the client stands, and holds the past it asked for or is
 * followed by what it missed, as its channel lets it see it. Nothing is said in between.
 */
export function replyWithPast(
  membership: Membership,
  { joinRef, ref }: Incoming,
  reply: unknown,
  since: Position | undefined,
  channel: unknown,
): void {
  const { topic, definition, socket } = membership;
  const { limits, record } = socket.world;
  const maxBytes = limits.maxPayloadBytes / 2;
  const { place, recent, replay }: Handover = record.histories.handover(
    topic,
    definition.history!,
    since,
    maxBytes,
  );
  const seen = (past: Placed): object | undefined => {
    const see = definition.interceptor(past.event);
    return see === undefined ? past.payload : (see(past.payload, channel) as object | undefined);
  };
  const shown = recent?.flatMap((past) => {
    const payload = seen(past);
    if (payload === undefined) return [];
    return { event: past.event, payload: { ...payload, "~": { offset: past.offset } } };
  });
  if (reply !== undefined && (typeof reply !== "object" || reply === null || Array.isArray(reply)))
    throw new TypeError(
      `the reply to a join of ${definition.pattern}, which has history, must be an object`,
    );
  const meta = shown === undefined ? place : { ...place, recent: shown };
  membership.reply(joinRef, ref, "ok", { ...reply, "~": meta });
  for (const past of replay) {
    const payload = seen(past);
    if (payload === undefined) continue;
    const text = encodeBroadcast(topic, past.event, payload, limits, { offset: past.offset });
    socket.client.send(new Outgoing(textFrame(text), "kept"));
  }
}
