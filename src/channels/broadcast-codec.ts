import type { Codec } from "../pubsub/internal.ts";
import { BroadcastMessage, type SendOptions } from "./broadcast.ts";
import type { Limits } from "./limits.ts";

/** What a sender may want for slow clients that other nodes can do as well. */
const policies: readonly unknown[] = ["disconnect", "dropOldest"];

/**
 * How broadcasts of channels cross: their event, and the text of their payload, which is not parsed where it arrives. What
 * measures or waits for clients stays with its sender, for it is about the clients of that node.
 */
export function broadcastCodec(limits: () => Limits): Codec<BroadcastMessage> {
  return {
    kind: "broadcast",
    encode(_topic, message) {
      const { topic, event, slow } = message;
      const head = policies.includes(slow) ? [topic, event, slow] : [topic, event];
      return `${JSON.stringify(head)}\n${message.json(limits())}`;
    },
    decode(_topic, text) {
      const end = text.indexOf("\n");
      const [topic, event, slow] = JSON.parse(text.slice(0, end)) as readonly unknown[];
      const json = text.slice(end + 1);
      if (typeof topic !== "string" || typeof event !== "string" || !json.startsWith("{"))
        throw new TypeError("no broadcast of a channel");
      const options: SendOptions = policies.includes(slow)
        ? { slow: slow as "disconnect" | "dropOldest" }
        : {};
      return new BroadcastMessage(topic, event, json, options);
    },
  };
}
