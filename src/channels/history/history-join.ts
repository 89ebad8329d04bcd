// How a client comes to a topic with history: what is said from the join on is held, the past is read, then both are told.
import { historyJoined, log } from "../../telemetry/internal.ts";
import { catchUp, type CaughtUp } from "./catch-up.ts";
import type { Position } from "../contract.ts";
import type { HistoryBounds } from "./history-bounds.ts";
import { replyWithHistory } from "./history-reply.ts";
import type { Membership } from "../socket/membership.ts";
import type { Incoming } from "../wire/serializer.ts";
import { tellRefused } from "../tell-refused.ts";
import type { TopicTail } from "./topic-tail.ts";

/** Where a join stands whose client has been let in. */
export interface HistoryJoin {
  readonly tail: TopicTail;
  readonly past: CaughtUp;
}

/** Bytes of the past that one client is handed at most: what goes out at once must not make it a slow one. */
function mostBytes({ definition, socket }: Membership): number {
  const { maxPayloadBytes, maxPendingBytes } = socket.world.limits;
  return Math.min(maxPayloadBytes / 2, maxPendingBytes / 2, definition.history!.bytes);
}

/**
 * Holds what the topic says from now on, and reads what the client is to be handed. Rejects when the log does not answer
 * in time, fails, or moves on meanwhile: then the client is to try again.
 */
export function readHistory(
  membership: Membership,
  since: Position | undefined,
): Promise<HistoryJoin> {
  const { system, record, limits } = membership.socket.world;
  const bounds = membership.definition.history!;
  const tail = record.log.follow(membership);
  const hold = tail.hold(membership, limits.maxPendingBytes);
  const ms = limits.historyTimeoutMs;
  const timer = system.after(ms, () => hold.fail(`the log has not answered in ${ms} ms`));
  return new Promise<HistoryJoin>((resolve, reject) => {
    hold.failed = reject;
    read(membership, tail, since, bounds).then((past) => resolve({ tail, past }), reject);
  }).finally(() => system.cancel(timer));
}

async function read(
  membership: Membership,
  tail: TopicTail,
  since: Position | undefined,
  { count, maxReplay, onJoin }: HistoryBounds,
): Promise<CaughtUp> {
  const heard = await tail.heard();
  const wanted = {
    since,
    count: Math.min(since === undefined ? onJoin : maxReplay, count),
    bytes: mostBytes(membership),
  };
  return catchUp(tail.log, membership.topic, heard, wanted);
}

/** Answers the join, and lets its client hear the topic, in one step. */
export function enterWithHistory(
  membership: Membership,
  incoming: Incoming,
  reply: unknown,
  { tail, past }: HistoryJoin,
  channel: unknown,
): void {
  const maxBytes = mostBytes(membership);
  const told = replyWithHistory(membership, incoming, reply, past, channel, maxBytes);
  const { status, messages } = told;
  membership.answered();
  tail.release(membership, past.end.offset);
  if (status !== undefined && historyJoined.active)
    historyJoined.emit({ topic: membership.topic, status, messages });
}

/** What a client is told that cannot be told the past: nothing of why. */
export const historyUnavailable: { readonly reason: string } = { reason: "history unavailable" };

/** Tells those who run the program why. */
export function tellUnavailable({ definition, topic, socket }: Membership, why: unknown): void {
  const reason = why instanceof Error ? why.message : String(why);
  tellRefused(`join on ${definition.pattern}`, reason);
  if (!socket.world.record.log.mayTell()) return;
  log("warning", `a join of ${topic} was refused, for its history cannot be read`, why);
}
