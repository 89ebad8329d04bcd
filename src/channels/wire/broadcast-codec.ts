import type { Codec } from "../../pubsub/internal.ts";
import { BroadcastMessage, type SendOptions } from "../fan-out/broadcast.ts";
import type { Limits } from "../limits.ts";
import { isReservedEvent } from "./payload.ts";

/** What a sender may want for slow clients that other nodes can do as well. */
const policies: readonly unknown[] = ["disconnect", "dropOldest"];

/** Before a payload of bytes, in base64; JSON of an object begins with a brace. */
const bytes = "=";

/**
 * How broadcasts of channels cross: their event, and the text of their payload, which is not parsed where it arrives, for
 * the node that says it has checked it. Its event is looked at again: one of the protocol ends channels. What measures or
 * waits for clients stays with its sender, for it is about the clients of that node.
 */
export function broadcastCodec(limits: () => Limits): Codec<BroadcastMessage> {
  return {
    kind: "broadcast",
    encode(_topic, message) {
      const { topic, event, slow } = message;
      const head = policies.includes(slow) ? [topic, event, slow] : [topic, event];
      const payload = message.encoded(limits());
      const text =
        typeof payload === "string" ? payload : bytes + Buffer.from(payload).toString("base64");
      return `${JSON.stringify(head)}\n${text}`;
    },
    decode(_topic, text) {
      const end = text.indexOf("\n");
      const [topic, event, slow] = JSON.parse(text.slice(0, end)) as readonly unknown[];
      const sent = text.slice(end + 1);
      const isBytes = sent.startsWith(bytes);
      if (
        typeof topic !== "string" ||
        typeof event !== "string" ||
        isReservedEvent(event) ||
        !(isBytes || sent.startsWith("{"))
      )
        throw new TypeError("no broadcast of a channel");
      const options: SendOptions = policies.includes(slow)
        ? { slow: slow as "disconnect" | "dropOldest" }
        : {};
      if (!isBytes) return BroadcastMessage.written(topic, event, sent, options);
      const payload = new Uint8Array(Buffer.from(sent.slice(1), "base64"));
      return BroadcastMessage.said(topic, event, payload, options);
    },
  };
}
