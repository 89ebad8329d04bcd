// Version 2: `[join_ref, ref, topic, event, payload]`, both ways; payloads of bytes in binary frames.
import { decoded, parseJson, undecodable } from "./decoded.ts";
import { crashPayload } from "../socket/error-id.ts";
import { scanJson } from "./json-scan.ts";
import type { Limits } from "../limits.ts";
import { payloadRefused, type Payload } from "./payload.ts";
import type { Decoded, Serializer, Wire, WireRef } from "./serializer.ts";
import { broadcastBytes, decodePush, pushBytes, replyBytes } from "./v2-bytes.ts";

const ELEMENTS = 5;
/** What stands between the topic of a reply and its response. */
const replied = {
  ok: ',"phx_reply",{"status":"ok","response":',
  error: ',"phx_reply",{"status":"error","response":',
} as const;

class V2Serializer implements Serializer {
  readonly version = "2.0.0";
  readonly form = "v2";
  readonly namesJoins = true;
  readonly takesBytes: boolean;

  constructor(takesBytes: boolean) {
    this.takesBytes = takesBytes;
  }

  decodeText(text: string, limits: Limits): Decoded {
    const { excess, headEnd } = scanJson(text, limits);
    // The head is within the limits even where the payload is not, and says whom to answer.
    const elements = parseJson(excess === undefined ? text : `${text.slice(0, headEnd)}]`);
    if (!Array.isArray(elements)) return undecodable("not a JSON array");
    const { 0: joinRef, 1: ref, 2: topic, 3: event, 4: payload, length } = elements as unknown[];
    if (excess === undefined && length < ELEMENTS) return undecodable("fewer than five elements");
    return decoded({ joinRef, ref, topic, event, payload }, limits, excess);
  }

  decodeBytes(bytes: Uint8Array, limits: Limits): Decoded {
    return decodePush(bytes, limits);
  }

  push(joinRef: WireRef, topic: string, event: string, payload: Payload): Wire {
    if (typeof payload === "string") return text(joinRef, null, topic, event, payload);
    this.#checkBytes(topic, event);
    return pushBytes(joinRef, topic, event, payload);
  }

  broadcast(topic: string, event: string, payload: Payload): Wire {
    if (typeof payload === "string") return text(null, null, topic, event, payload);
    this.#checkBytes(topic, event);
    return broadcastBytes(topic, event, payload);
  }

  reply(
    joinRef: WireRef,
    ref: WireRef,
    topic: string,
    status: "ok" | "error",
    response: Payload,
  ): Wire {
    // All in one: each piece of a text that is put together costs as much as its letters.
    if (typeof response === "string")
      return `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)}${replied[status]}${response}}]`;
    this.#checkBytes(topic, "phx_reply");
    return replyBytes(joinRef, ref, topic, status, response);
  }

  close(joinRef: WireRef, topic: string): Wire {
    return text(joinRef, joinRef, topic, "phx_close", "{}");
  }

  crash(joinRef: WireRef, topic: string, id?: string): Wire {
    return text(joinRef, joinRef, topic, "phx_error", crashPayload(id));
  }

  #checkBytes(topic: string, event: string): void {
    if (!this.takesBytes)
      throw payloadRefused(
        topic,
        event,
        "it is bytes, which the transport of this client cannot carry",
      );
  }
}

/** Version 2 of the protocol. */
export const v2: Serializer = new V2Serializer(true);
/** Version 2 for clients whose transport carries text alone, as a long poll's answers do. */
export const v2Text: Serializer = new V2Serializer(false);

function text(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  event: string,
  payload: string,
): string {
  return `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)},${JSON.stringify(event)},${payload}]`;
}
