import { refused } from "../../telemetry/internal.ts";
import type { SendingHalf } from "./sending-half.ts";
import { frameForOne } from "../wire/frame.ts";
import { Outgoing } from "./outbox.ts";
import type { Incoming } from "../wire/serializer.ts";

/** What an answer belongs to. */
type Asked = Pick<Incoming, "joinRef" | "ref" | "topic">;

/** Answers a message that no channel answers. */
export function reply(
  { client }: { readonly client: SendingHalf },
  { joinRef, ref, topic }: Asked,
  status: "ok" | "error",
  response: object,
  kind: "kept" | "urgent" = "kept",
): void {
  const wire = client.serializer.reply(joinRef, ref, topic, status, JSON.stringify(response));
  client.send(new Outgoing(frameForOne(wire), kind));
}

/** Refuses a message, which is counted. */
export function replyError(
  socket: { readonly client: SendingHalf },
  asked: Asked,
  reason: string,
): void {
  if (refused.active) refused.emit({ what: "message", reason });
  reply(socket, asked, "error", { reason });
}
