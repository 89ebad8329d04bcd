// How a client comes to a topic with history: what is said from the join on is held, the past is read, then both are told.
import { historyJoined, log } from "../../telemetry/internal.ts";
import { CatchUp } from "./catch-up.ts";
import type { Position } from "../contract.ts";
import { BroadcastMessage } from "../fan-out/broadcast.ts";
import { tellOne } from "../fan-out/topic-subscribers.ts";
import { replyWithHistory } from "./history-reply.ts";
import { type Hold, Unheld } from "./hold.ts";
import type { Membership } from "../socket/membership.ts";
import type { Incoming } from "../wire/serializer.ts";
import { tellRefused } from "../tell-refused.ts";
import type { TopicTail } from "./topic-tail.ts";

/** Where a join stands whose client can be told so. */
export interface HistoryJoin {
  readonly tail: TopicTail;
  readonly past: CatchUp;
  /** Told whenever more of the past has been read than when it was told before. */
  more: (() => void) | undefined;
}

/** Bytes of the past that one client is handed at most: what goes out at once must not make it a slow one. */
function mostBytes({ definition, socket }: Membership): number {
  const { maxPayloadBytes, maxPendingBytes } = socket.world.limits;
  return Math.min(maxPayloadBytes / 2, maxPendingBytes / 2, definition.history!.bytes);
}

/**
 * Holds what the topic says from now on, and reads what the client is to be handed. Resolves when all of that is read; where
 * this takes long, with what there is by then: a client that is not answered gives up, and begins anew where it stood. Rejects
 * when the log does not answer in time, fails, or moves on meanwhile: then the client is to try again.
 */
export function readHistory(
  membership: Membership,
  since: Position | undefined,
): Promise<HistoryJoin> {
  const { record, limits } = membership.socket.world;
  const tail = record.log.follow(membership);
  const hold = tail.hold(membership, limits.maxPendingBytes);
  return new Promise<HistoryJoin>((resolve, reject) => {
    hold.failed = reject;
    read(membership, tail, hold, since, resolve).catch((why: Error) => hold.fail(why));
  });
}

/** Reads to the end, or until nobody wants it any more. */
async function read(
  membership: Membership,
  tail: TopicTail,
  hold: Hold,
  since: Position | undefined,
  answer: (join: HistoryJoin) => void,
): Promise<void> {
  const { client, world } = membership.socket;
  const { system, limits } = world;
  const { count, maxReplay, onJoin } = membership.definition.history!;
  const bytes = mostBytes(membership);
  const ms = limits.historyTimeoutMs;
  const late = (): void => hold.fail(`the log has not answered in ${ms} ms`);
  let join: HistoryJoin | undefined = undefined;
  let isDue = false;
  let limit = system.after(ms, late);
  const due = system.after(ms / 2, () => {
    isDue = true;
    if (join?.past.isBegun === true) answer(join);
  });
  hold.stopped = () => {
    system.cancel(due);
    system.cancel(limit);
  };
  const heard = await tail.heard(hold);
  if (hold.isOver) return;
  const most = Math.min(since === undefined ? onJoin : maxReplay, count);
  const wanted = { since, count: most, bytes };
  const past = new CatchUp(tail.log, membership.topic, heard, wanted, system.runtime);
  join = { tail, past, more: undefined };
  while (!past.isDone) {
    await past.read();
    if (hold.isOver) return;
    // Whoever is sent to join again does so behind what waits for it.
    if (hold.isAnswered && client.pendingBytes > limits.maxPendingBytes / 2)
      throw new Unheld("its client has not read what it was handed");
    if (isDue) answer(join);
    join.more?.();
    if (hold.isOver) return;
    system.cancel(limit);
    limit = system.after(ms, late);
  }
  hold.stopped();
  answer(join);
}

/** Answers the join, and lets its client hear the topic, in one step where all of the past has been read. */
export function enterWithHistory(
  membership: Membership,
  incoming: Incoming,
  reply: unknown,
  join: HistoryJoin,
  channel: unknown,
): void {
  const { tail, past } = join;
  const { topic } = membership;
  const told = past.take();
  const maxBytes = mostBytes(membership);
  const { status, messages } = replyWithHistory(
    membership,
    incoming,
    reply,
    told,
    channel,
    maxBytes,
  );
  let count = messages;
  const enter = (offset: number): void => {
    tail.release(membership, offset);
    if (status !== undefined && historyJoined.active)
      historyJoined.emit({ topic, status, messages: count });
  };
  membership.answered();
  tail.answered(membership);
  if (past.isDone) return enter(told.end.offset);
  join.more = () => {
    const { entries, end } = past.take();
    for (const { entry, offset } of entries) {
      const { event, payload } = entry;
      tellOne(membership, BroadcastMessage.written(topic, event, payload, undefined, offset));
      if (membership.state !== "joined") return;
    }
    count += entries.length;
    if (past.isDone) enter(end.offset);
  };
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
